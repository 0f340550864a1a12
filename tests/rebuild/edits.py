"""Edits of a recipe, and exactly the stages that each one affects.

``direct`` are the stages whose slices change in the plan. ``ran`` are the stages that doit then runs: all of these,
and others if a hand-over changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .families import SOLVED, TREE

if TYPE_CHECKING:
    from .families import Family, Recipe


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A new value for a `field`, which is a key path of the recipe format; numbers in it are indices of lists."""

    name: str
    field: str
    value: Any
    direct: frozenset[str]
    ran: frozenset[str] | None = None

    def change(self, recipe: Recipe) -> None:
        node: Any = recipe
        keys: list[Any] = [int(word) if word.isdigit() else word for word in self.field.split(".")]
        *above, last = keys
        for key in above:
            node = node[key] if isinstance(node, list) or key in node else node.setdefault(key, {})
        if isinstance(node, list) and last == len(node):
            node.append(self.value)
        else:
            node[last] = self.value

    def edited(self, recipe: Recipe) -> Recipe:
        self.change(recipe)
        return recipe


def edits_of(family: Family) -> tuple[Edit, ...]:
    """Return the table for a family."""
    return tuple(replace(edit, **family.differs.get(edit.name, {})) for edit in EDITS)


def edit_of(family: Family, field: str) -> Edit:
    """Return the first edit of a field."""
    return next(edit for edit in edits_of(family) if edit.field == field)


def edit(
    field: str, value: Any, direct: str = "", ran: frozenset[str] | set[str] | None = None, *, name: str = ""
) -> Edit:
    return Edit(
        name=name or field,
        field=field,
        value=value,
        direct=frozenset(direct.split()),
        ran=None if ran is None else frozenset(ran),
    )


PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJtJ0GWp9w0GMrbDX10AXXGVhkPwyDUHAd4zTUy+2SNR me"
SYSTEM = "systemConfig"
USER = f"{SYSTEM}.users.0"
FILE = f"{SYSTEM}.additionalFiles.0"
COMMANDS = f"{SYSTEM}.configurations"
PARTITION = "disk.partitions.1"
ESP = "disk.partitions.0"
NOTHING: set[str] = set()
PLACEHOLDERS = {
    "secureBootDBKey": "<SECURE_BOOT_DB_KEY_PATH>",
    "secureBootDBCrt": "<SECURE_BOOT_DB_CRT_PATH>",
    "secureBootDBCer": "<SECURE_BOOT_DB_CER_PATH>",
    "signing": "here",
}
DEBIAN13 = {"os": "debian", "dist": "debian13", "arch": "x86_64", "imageType": "raw"}
SIZED = {"id": "rootfs", "type": "linux-root-amd64", "size": "510MiB", "fsType": "ext4", "mountPoint": "/"}
NETWORK = {
    "backend": "systemd-networkd",
    "interfaces": [
        {
            "name": "en0",
            "dhcp4": False,
            "dhcp6": False,
            "addresses": ["192.0.2.2/24"],
            "routes": [{"to": "default", "via": "192.0.2.1"}],
            "nameservers": ["192.0.2.1"],
        }
    ],
}

REPOSITORY = {
    "codename": "more",
    "url": "https://more.invalid",
    "pkey": "https://more.invalid/key",
    "component": "main",
    "priority": 600,
    "allowPackages": ["less"],
    "signedMetadata": True,
}

EDITS = (
    # fields that describe the recipe
    edit("metadata.description", "another", "", NOTHING),
    edit("metadata.use_cases", ["another"], "", NOTHING),
    edit("metadata.keywords", ["another"], "", NOTHING),
    edit("default", value=True, ran=NOTHING),
    edit("defaults", value=True, ran=NOTHING),
    edit("sbomPackageMetadata", [{"name": "another"}], "", NOTHING),
    edit(f"{SYSTEM}.name", "another", "", NOTHING),
    edit(f"{SYSTEM}.description", "another", "", NOTHING),
    edit("tools", "debian12", "", NOTHING),
    # identifiers are derived from name and version; those of partitions are in fstab, which the initramfs contains
    edit("image.name", "other", "system fs boot disk evidence", {*TREE, "initrd", "boot"}),
    edit("image.version", "1.0.1", "system fs boot disk evidence", {*TREE, "initrd", "boot"}),
    edit("target.mirror", "https://mirror.invalid/debian", "metadata verify"),
    edit("target.mirrorKeys", ["https://mirror.invalid/key"], "metadata verify"),
    edit("target.mirrorKeys", [{"key": "/a/key", "fingerprint": "A" * 40}], "metadata verify", name="a pinned key"),
    edit("target.signedMetadata", value=True, ran=NOTHING),
    edit("target.repositories", [], "", NOTHING),
    edit("target", DEBIAN13, "metadata solve verify system fs boot disk evidence"),
    edit("packageRepositories", [REPOSITORY], "metadata solve verify system"),
    edit(
        "packageRepositories",
        [{"codename": "local", "path": "/repository", "pkeys": ["/local.gpg"]}],
        "metadata solve verify",
        name="a repository of this host, which the image is not to know",
    ),
    edit(
        "packageRepositories",
        [{"packages": [{"url": "https://more.invalid/a.zip", "sha256": "0" * 64}], "insecureSkipVerify": True}],
        "metadata solve download verify",
        name="package files",
    ),
    edit(
        "packageRepositories",
        [{"codename": "listed", "mirrorList": "https://more.invalid/list", "pkey": "/k"}],
        "metadata solve verify system",
        name="a mirror list",
    ),
    edit("include", ["files/part.yml"], "system evidence", TREE),
    edit("extends", "files/parent.yml", "system evidence", TREE),
    # the tree
    edit(f"{SYSTEM}.hostname", "two", "system evidence", TREE),
    edit(f"{USER}.name", "root2", "system evidence", TREE),
    edit(f"{USER}.password", "changed", "system evidence", TREE),
    edit(f"{USER}.hash_algo", "sha256", "system evidence", TREE),
    edit(f"{USER}.passwordMaxAge", 90, "system evidence", TREE),
    edit(f"{USER}.startupScript", "/bin/bash", "system evidence", TREE),
    edit(f"{USER}.groups", ["video"], "system evidence", TREE),
    edit(f"{USER}.sudo", value=True, direct="system evidence", ran=TREE),
    edit(f"{USER}.home", "/home/other", "system evidence", TREE),
    edit(f"{USER}.shell", "/bin/bash", "system evidence", TREE),
    edit(f"{USER}.sshAuthorizedKeys", [PUBLIC_KEY], "system evidence", TREE),
    edit(f"{SYSTEM}.users.1", {"name": "second"}, "system evidence", TREE, name="an additional user"),
    edit(f"{FILE}.final", "/etc/motd.two", "system evidence", TREE),
    edit(f"{FILE}.local", "files/other", "system evidence"),
    edit(f"{FILE}.mode", "0600", "system evidence", TREE),
    edit(f"{FILE}.owner", "7:7", "system evidence", TREE),
    edit(f"{FILE}.stage", "pre-initramfs", "", NOTHING),
    edit(
        f"{SYSTEM}.additionalFiles.1", {"content": "two", "final": "/etc/two"}, "system evidence", TREE, name="content"
    ),
    edit(f"{SYSTEM}.network", NETWORK, "system evidence"),
    edit(f"{COMMANDS}.0.cmd", "echo two > /etc/one", "system evidence", TREE),
    edit(f"{COMMANDS}.1", {"cmd": "true"}, "system evidence", {"system", "evidence"}, name="a command without effect"),
    edit(f"{COMMANDS}.0.network", value=True, direct="system evidence", ran={"system", "evidence"}),
    edit(
        f"{COMMANDS}.1",
        {"cmd": "echo 'options loop max_loop=4' > /etc/modprobe.d/loop.conf"},
        "system evidence",
        {*TREE, "initrd", "boot"},
        name="a file in /etc/modprobe.d written by a command",
    ),
    edit(f"{SYSTEM}.services.enable", ["ssh"], "system evidence"),
    edit(f"{SYSTEM}.services.disable", ["ssh"], "system evidence"),
    edit(f"{SYSTEM}.services.mask", ["ssh"], "system evidence"),
    edit(f"{SYSTEM}.timezone", "Europe/Berlin", "system evidence"),
    edit(f"{SYSTEM}.locale", "de_DE.UTF-8", "system evidence", TREE),
    # the generator also reads vconsole.conf and default/keyboard; without console-setup the initramfs is the same
    edit(f"{SYSTEM}.keymap", "de", "system evidence", {*TREE, "initrd"}),
    edit(f"{SYSTEM}.packageSources", "drop", "system evidence"),
    edit(f"{SYSTEM}.scriptletsMayFail", ["bash %post"], "", NOTHING),
    # the kernel
    edit(f"{SYSTEM}.kernel.cmdline", "quiet", "boot evidence", {"boot", "disk", "evidence"}),
    edit(f"{SYSTEM}.kernel.enableExtraModules", "dummy", "initrd evidence", {"initrd", "boot", "disk", "evidence"}),
    edit(f"{SYSTEM}.kernel.packages", ["linux-image-cloud-amd64"], "solve evidence"),
    edit(f"{SYSTEM}.kernel.version", "6.1", "solve evidence", {*SOLVED, "evidence"}),
    # systemd-boot comes as a package of the image; the file systems have the kernel's initramfs and command line
    edit(
        f"{SYSTEM}.kernel.entries", value=True, direct="solve boot fs evidence", ran={*SOLVED, *TREE, "initrd", "boot"}
    ),
    edit(f"{SYSTEM}.kernel.name", "another", "", NOTHING),
    edit(f"{SYSTEM}.kernel.uki", value=True, ran=NOTHING),
    edit(f"{SYSTEM}.bootloader.bootType", "efi", "", NOTHING),
    edit(f"{SYSTEM}.bootloader.provider", "systemd-boot", "", NOTHING),
    edit(f"{SYSTEM}.immutability.enabled", value=False, ran=NOTHING),
    edit(f"{SYSTEM}.immutability", PLACEHOLDERS, "", NOTHING),  # keys that sign are in test_signing
    edit(f"{SYSTEM}.immutability.state", "memory", "", NOTHING),  # of a verified root, whose edits are in test_verity
    # packages
    edit(
        f"{SYSTEM}.packages",
        ["cpio"],
        "solve evidence",
        {*SOLVED, "evidence"},
        name="a package that is already a dependency",
    ),
    edit(f"{SYSTEM}.excludePackages", ["no-such-package"], "solve", {"solve"}),
    edit(f"{SYSTEM}.packages", ["less"], "solve evidence", {*SOLVED, *TREE, "initrd"}, name="an additional package"),
    edit(  # adds busybox, which the initramfs contains
        f"{SYSTEM}.recommends", value=True, direct="solve evidence", ran={*SOLVED, *TREE, "initrd", "boot"}
    ),
    # an ISO's, whose own edits are in test_iso
    edit("iso.mode", "live", "", NOTHING),
    edit("iso.answers", {"hostname": "two"}, "", NOTHING),
    edit("iso.repository", value=True, ran=NOTHING),
    edit(f"{SYSTEM}.initramfs.template", "other.yml", "", NOTHING),
    # the disk
    edit("disk.name", "another", "", NOTHING),
    edit("disk.path", "/dev/vda", "", NOTHING),
    edit("disk.selectionPolicy.strategy", "largest", "", NOTHING),
    edit("disk.selectionPolicy.excludeRemovable", value=False, ran=NOTHING),
    edit("disk.selectionPolicy.requireEmpty", value=False, ran=NOTHING),
    edit("disk.partitionTableType", "gpt", "", NOTHING),
    edit("disk.artifacts", [{"type": "raw"}], "", NOTHING),
    # sfdisk comes as a package of the image; the small one of Debian has no systemd to grow a file system
    edit("disk.extendLastPartitionToFillDisk", value=True, direct="solve system evidence"),
    edit(f"{PARTITION}.grow", value=True, direct="solve system evidence"),
    edit("disk.size", "700MiB", "disk evidence", {"disk", "evidence"}),
    edit("disk.size", "auto", "disk evidence", {"disk", "evidence"}, name="a disk that ends with its last partition"),
    edit(PARTITION, {**SIZED, "size": "auto"}, "fs disk evidence", {"fs", "disk", "evidence"}, name="size: auto"),
    edit(f"{PARTITION}.fsType", "ext3", "system fs evidence", {*TREE, "initrd"}),
    edit(f"{PARTITION}.fsType", "btrfs", "solve system fs evidence", name="a file system with tools of its own"),
    edit(f"{PARTITION}.end", "610MiB", "fs disk evidence", {"fs", "disk", "evidence"}),
    edit(f"{PARTITION}.start", "98MiB", "fs disk evidence", {"fs", "disk", "evidence"}),
    edit(f"{PARTITION}.fsLabel", "root", "fs evidence", {"fs", "disk", "evidence"}),
    edit(f"{PARTITION}.name", "system", "disk evidence", {"disk", "evidence"}),
    edit(f"{PARTITION}.type", "linux", "disk evidence", {"disk", "evidence"}),
    edit(f"{PARTITION}.flags", ["hidden"], "disk evidence", {"disk", "evidence"}),
    edit(f"{PARTITION}.mountOptions", "noatime", "system evidence", {*TREE, "initrd"}),
    edit(f"{PARTITION}.index", 2, "", NOTHING),
    edit(f"{PARTITION}.typeUUID", "8300", "disk evidence", {"disk", "evidence"}),
    edit(PARTITION, SIZED, "fs disk evidence", {"fs", "disk", "evidence"}, name="size in place of end"),
    edit(f"{ESP}.fsType", "vfat", "", NOTHING),
    edit(f"{ESP}.end", "96MiB", "boot disk evidence", {"boot", "disk", "evidence"}),
    edit(f"{ESP}.fsLabel", "EFI", "boot evidence", {"boot", "disk", "evidence"}),
    edit(f"{ESP}.mountPoint", "/efi", "system fs evidence", {*TREE, "initrd"}),
    edit(f"{PARTITION}.id", "top", "system fs boot disk evidence", {*TREE, "initrd", "boot"}),
)
