# ruff: noqa: E501  messages and templates stand whole, as a user sees them
"""The shapes that public OS Image Composer templates have, written anew: all of them validate, none is misread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from image.own_keys import make_keys

from oic.image.verity import ReadOnlyRoot
from oic.plan import plan

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Load

AZURE = """metadata:
  description: a device
  use_cases: [one, two]
  keywords:
    - edge
image: {name: azl3-x86_64-edge, version: "1.0.0"}
target: {os: azure-linux, dist: azl3, arch: x86_64, imageType: raw} # a comment
systemConfig:
  name: edge
  immutability:
    enabled: true
    secureBootDBKey: "${KEY_PATH}"
    secureBootDBCrt: /keys/DB.crt
    secureBootDBCer: /keys/DB.cer
  users:
    - {name: admin, password: "$6$rounds=4096$salt$hashedvalue...", groups: ["wheel"]}
    - {name: testuser, password: "test123", hash_algo: "sha512"}
    - {name: secureuser, password: "securepass", hash_algo: "bcrypt", sudo: true}
    - {name: sys_telemetry}
  packages: [cloud-init, rsyslog]
  kernel: {version: 6.12, cmdline: "quiet splash"}
disk:
  size: 4GiB
  partitions:
    - {id: boot, type: esp, flags: [esp, boot], start: 1MiB, end: 513MiB, fsType: fat32, mountPoint: /boot/efi, mountOptions: umask=0077}
    - {id: rootfs, type: linux-root-amd64, start: 513MiB, end: 0, fsType: ext4, mountPoint: /, mountOptions: "defaults, ro"}
"""

ELXR = """image: {name: elxr-cloud, version: "12.12.0"}
target: {os: wind-river-elxr, dist: elxr12, arch: x86_64, imageType: raw}
packageRepositories:
  - {codename: "aria", url: "http://mirror.invalid/elxr", pkey: "http://mirror.invalid/elxr/public.gpg", component: "main non-free contrib"}
  - {codename: "noble", url: "https://a.invalid/ubuntu/", pkey: "[trusted=yes]", priority: 1001}
  - {codename: "noble", url: "https://b.invalid/ubuntu", pkeys: ["https://b.invalid/key?op=get&search=0x87", /etc/keys/x.gpg]}
  - {codename: "sample", url: "<URL>", pkey: "<PUBLIC_KEY_URL>"}
disk:
  name: elxr-cloud-raw
  artifacts:
    -
      type: qcow2
      compression: zstd
  size: 50GiB
  partitions:
    - {id: BIOSBOOT, type: bios-boot, typeUUID: 21686148-6449-6e6f-744e-656564454649, fsType: ext2, start: 1MiB, end: 5MiB, flags: [bios_grub]}
    - {id: EFI, name: EFI, type: esp, fsType: vfat, fsLabel: UEFI, start: 5MiB, end: 129MiB, mountPoint: /boot/efi, flags: [boot, esp]}
    - {id: BOOT, type: linux, typeUUID: bc13c2ff-59e6-4262-a352-b275fd6f7172, fsType: ext4, start: 129MiB, end: 641MiB, mountPoint: /boot, mountOptions: defaults, flags: []}
    - {id: ROOT, type: linux-root-amd64, fsType: ext4, start: 641MiB, end: 16896MiB, mountPoint: /}
    - {id: hash, type: linux, fsType: ext4, start: 16896MiB, end: 17GiB, mountPoint: none}
    - {id: swap, type: linux-swap, start: 17GiB, end: 0, fsType: linux-swap}
systemConfig:
  hostname: localhost
  bootloader: {bootType: efi, provider: grub}
  packages: [tpm2-tools, libva*, qemu-system_3:9.1.0+git20250923-ppa1-noble2, intel-dlstreamer_2025.2.0, g++, tpm2-tools, python3=3.11.2-1]
  additionalFiles:
    - {local: files/etc/hostname, final: /etc/hostname, permissions: "0644"}
  configurations:
    - {cmd: "echo 'user ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/user-sudo", description: why}
  kernel: {name: kernel-rt, enableExtraModules: "intel_vpu uas", uki: false, packages: [kernel-rt-drivers-gpu-6.17.11]}
"""

EMT = """image: {name: emt3-rt, version: "1.0.0"}
target: {os: edge-microvisor-toolkit, dist: emt3, arch: x86_64, imageType: iso}
packageRepositories:
  - codename: "next"
    url: "https://c.invalid/rpms/next/base"
    pkey: "file:///etc/pki/KEY"
    allowPackages: [kernel-rt-6.17.11, "wayland*", "kernel-drivers-[0-9]"]
disk:
  name: RT
  partitionTableType: gpt
  partitions:
    - {id: boot, type: esp, flags: [esp, boot], start: 1MiB, end: 9MiB, fsType: fat32, mountPoint: /boot/efi}
    - {id: rootfs, type: linux-root-amd64, start: 9MiB, end: "0", fsType: ext4, mountPoint: /}
systemConfig:
  initramfs: {template: default-initrd-x86_64.yml}
  description: >-
    folded
    text
"""

TEMPLATE = (
    "expected the recipe of the initramfs that the ISO boots, beside the recipe or the distribution's defaults, found"
)
OTHERS = {
    "{os: ubuntu, dist: ubuntu26, arch: x86_64, imageType: raw}": [],
    "{os: wind-river-elxr, dist: elxr13, arch: x86_64, imageType: raw}": [],
    "{os: ubuntu, dist: ubuntu24, arch: aarch64, imageType: raw}": ["target.arch: an image for aarch64"],
    "{os: ubuntu, dist: ubuntu24, arch: x86_64, imageType: raw}": [],
    "{os: redhat-compatible-distro, dist: el10, arch: x86_64, imageType: raw}": [],
    "{os: debian, dist: debian13, arch: x86_64, imageType: img}": [],
    "{os: debian, dist: debian13, arch: armv7hl, imageType: iso}": [
        "target.arch: an image for armv7hl",
        f"systemConfig.initramfs.template: {TEMPLATE} nothing",
    ],
}


def unbuilt(load: Load, template: str) -> list[str]:
    """Load a template as it stands; return what of it a build refuses, as ``key.path: reason``.

    It can be planned all the same: its tasks are what says so.
    """
    config = load(template, head="", variables={"KEY_PATH": "/keys/DB.key"})
    assert config.unbuilt or plan(config, config.recipe.parent / "cache")
    return [": ".join(line.split(": ")[1:]).removesuffix(" is not built yet") for line in config.unbuilt]


def test_an_image_of_azure_linux_with_secure_boot(load: Load, tmp_path: Path) -> None:
    missing = [line.split(": ", 1)[0] for line in unbuilt(load, AZURE)]
    assert missing == [f"systemConfig.immutability.secureBootDB{name}" for name in ("Crt", "Cer", "Key")]
    keys = make_keys(tmp_path, "DB")
    template = AZURE.replace("/keys", str(tmp_path))
    config = load(template, head="", variables={"KEY_PATH": str(keys.key)})
    assert config.secure_boot
    assert (config.secure_boot.key, config.secure_boot.subject) == (str(keys.key), "CN=DB of a test")
    (root,) = (entry for entry in config.disk.partitions if entry.mount_point == "/")
    assert root.mount_options == "defaults,ro", "fstab(5) has no room for a space"


def test_a_cloud_image_of_elxr_with_foreign_repositories(load: Load) -> None:
    wanted = "expected a key by https, or its fingerprint ({key: URL, fingerprint: …}), found http alone"
    assert unbuilt(load, ELXR) == [f"packageRepositories[0].pkey: {wanted}"]
    secure = ELXR.replace("http://mirror.invalid/elxr/public.gpg", "https://mirror.invalid/elxr/public.gpg")
    assert unbuilt(load, secure) == []
    own = "pkey: {key: 'http://mirror.invalid/elxr/public.gpg', fingerprint: " + "A" * 40 + "}"
    assert unbuilt(load, ELXR.replace('pkey: "http://mirror.invalid/elxr/public.gpg"', own)) == []
    assert [entry.name for entry in load(ELXR, head="").repositories if entry.of_recipe]
    config = load(ELXR, head="")
    *said, local, in_memory, no_file_system = (line.split(": ", 1)[1] for line in config.notes)
    assert no_file_system.startswith("disk.partitions[0].fsType: no effect on a partition of type bios")
    assert in_memory.startswith("systemConfig.immutability.enabled: what is written is lost when the machine stops")
    assert config.read_only == ReadOnlyRoot(root="ROOT", hashes="hash", state="")
    assert local.startswith("systemConfig.additionalFiles[0].local: expected a file, found none at ")
    assert said == [
        "systemConfig.additionalFiles[0].permissions: the key 'permissions' has no meaning here and is passed over",
        "systemConfig.configurations[0].description: the key 'description' has no meaning here and is passed over",
        "systemConfig.kernel.name: no effect: kernel.packages says which kernel",
        (
            "systemConfig.kernel.uki: no effect: a unified kernel image is made where the boot loader is systemd-boot "
            "and kernel.entries is not true"
        ),
        "packageRepositories[3]: a placeholder, <URL>; the repository is left out",
    ]
    assert config.system.packages[0] == "ca-certificates", "the distribution's default"
    assert config.system.packages[-6] == "tpm2-tools"
    assert len(config.system.packages) == len(set(config.system.packages))
    assert config.disk.partitions[4].mount_point == ""
    assert config.disk.partitions[5].size is None


def test_an_iso_of_edge_microvisor_toolkit(load: Load) -> None:
    (said,) = unbuilt(load, EMT)
    assert said.startswith("target.imageType: an installer that asks is not built yet")
    answered = EMT.replace("  name: RT", "  name: RT\n  path: /dev/nvme0n1")
    assert unbuilt(load, answered) == []
    config = load(answered, head="")
    assert config.iso is not None
    assert config.medium is not None
    assert config.iso.modes == ("unattended",), "the disk is named, so nothing is left to ask"
    assert [file.final for file in config.medium.system.files if "install" in file.local.name or file.final == "/init"]


@pytest.mark.parametrize("target", OTHERS)
def test_every_target_of_the_format_validates(target: str, load: Load) -> None:
    found = unbuilt(load, f"image: {{name: a, version: 1.0}}\ntarget: {target}\n")
    assert found == OTHERS[target]


HASHED = """disk:
  size: 2GiB
  partitions:
    - {id: esp, type: esp, size: 512MiB, fsType: fat32}
    - {id: root, type: linux, size: 1GiB, fsType: ext4, mountPoint: /}
    - {id: hash, type: linux, end: "0", mountPoint: none}
"""
ADDITIONS = {
    "disk: {size: 2GiB, partitions: [{id: e, type: esp, size: 1GiB}, {id: s, typeUUID: '8200', size: 1MiB},"
    " {id: n, type: linux-swap, fsType: none, size: 1MiB}, {id: r, type: linux, end: '0', fsType: ext4, mountPoint: /}]}": [],
    "disk: {size: auto, partitions: [{id: e, type: esp, size: 1GiB}, {id: r, type: linux, end: '0', fsType: ext4, mountPoint: /, grow: true}]}": [],
    "disk: {size: 1G, partitionTableType: mbr, partitions: [{id: r, size: 1M, fsType: ext4, mountPoint: /}]}\n"
    "systemConfig: {bootloader: {bootType: legacy, provider: grub}}": [],
    "tools: host": ["tools: a build environment of other packages than the distribution's own"],
    "tools: debian13": ["tools: a build environment of other packages than the distribution's own"],
    "tools: debian12": [],
    "tools: debian/debian12": [],
    "iso: {mode: live}": [],
    "iso: {repository: true}": [],
    "systemConfig: {immutability: {enabled: true, state: memory, updates: ab, encrypt: true}}": [
        "systemConfig.immutability.updates: updates",
        "systemConfig.immutability.encrypt: encrypt",
    ],
    HASHED + "systemConfig: {immutability: {enabled: true, signing: elsewhere}}": [],
    "systemConfig: {fde: {enabled: true, passphraseFile: /p}, kernel: {entries: true}}": [
        "systemConfig.fde.enabled: an encrypted disk",
    ],
    "baseline: {mode: overlay, source: {path: x.img, format: raw}}": [
        "baseline.mode: building onto a finished image",
    ],
    "packageRepositories: [{codename: a, mirrorList: 'https://a.invalid/list', pkey: /k}]": [
        "packageRepositories[0].mirrorList: a mirror list of debs"
    ],
    "packageRepositories: [{codename: a, packages: [https://a.invalid/x.deb], insecureSkipVerify: true}, {codename: b, url: <URL>, pkey: /k}]": [
        (
            "packageRepositories[0].insecureSkipVerify: expected TLS to be verified, or the sha256 of each package file, "
            "found it switched off: another authority is named by OIC_CA"
        ),
    ],
    "systemConfig: {immutability: {enabled: false}}": [],
    "systemConfig: {bootloader: {bootType: legacy, provider: grub2}}": [],
    "systemConfig: {bootloader: {provider: grub}}": [],
    "systemConfig: {timezone: Europe/Berlin, locale: de_DE.UTF-8, keymap: de, packageSources: drop, recommends: true}": [],
    "systemConfig: {configurations: [{cmd: curl x, network: true}], services: {enable: [a], disable: [b], mask: [c]}}": [],
}


@pytest.mark.parametrize("body", ADDITIONS)
def test_what_is_added_to_the_format_validates_and_is_built_or_refused_by_name(body: str, load: Load) -> None:
    config = load(body)
    assert config.unbuilt or plan(config, config.recipe.parent / "cache")
    assert [": ".join(line.split(": ")[1:]).removesuffix(" is not built yet") for line in config.unbuilt] == ADDITIONS[
        body
    ]
