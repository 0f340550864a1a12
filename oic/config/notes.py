"""What of a valid recipe has no effect here, each said in a line: nothing that is set is passed over in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.config.assemble import bootloader_of, is_placeholder
from oic.config.crypt import is_whole_hash
from oic.config.disk import file_system_of, is_bios_boot
from oic.config.grow import grow_notes
from oic.config.immutability import is_on
from oic.config.immutability_checks import immutability_notes
from oic.config.iso import iso_notes
from oic.config.wsl import wsl_notes
from oic.image.boot import OWN_FILES, method_name
from oic.image.fs import FILE_SYSTEMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.config.model import Distribution
    from oic.config.source import Node

    Notes = Iterator[tuple[Node, str]]

URL_PLACEHOLDER, KEY_PLACEHOLDER = "<URL>", "<PUBLIC_KEY_URL>"
EXAMPLE_PASSWORDS = frozenset({"change-me", "changeme", "CHANGE_ME", "changeit"})
_KNOWN_KEYS = {
    "additionalFiles": ("local", "content", "final", "mode", "owner", "stage"),
    "configurations": ("cmd", "network"),
}
_KERNEL_NOTES = {
    "name": "kernel.packages says which kernel",
    "uki": "a unified kernel image is made where the boot loader is systemd-boot and kernel.entries is not true",
}


def notes_in(tree: Node) -> Notes:
    """Say what of one file has no effect: keys and placeholders of public templates, and fields without meaning."""
    yield from _system_notes(tree.get("systemConfig"))
    network = tree.get("systemConfig", "network")
    if network.entries and not network.get("interfaces").items:
        yield network, "no effect without interfaces"
    yield from _repository_notes(tree)
    if tree.get("sbomPackageMetadata").value is not None:
        yield tree.get("sbomPackageMetadata"), "no effect, as the public tool writes it for itself"


def _system_notes(system: Node) -> Notes:
    for section, known in _KNOWN_KEYS.items():
        for item in system.get(section).items:
            for key in sorted(set(item.entries) - set(known)):
                yield item.get(key), f"the key '{key}' has no meaning here and is passed over"
    stages = [file.get("stage") for file in system.get("additionalFiles").items]
    yield from ((node, "no effect, as it is for building onto a finished image only") for node in stages if node.text)
    for key, reason in _KERNEL_NOTES.items():
        if system.get("kernel", key).value is not None:
            yield system.get("kernel", key), f"no effect: {reason}"
    yield from _user_notes(system.get("users"))


def _user_notes(users: Node) -> Notes:
    for user in users.items:
        for group in user.get("groups").items:
            if is_placeholder(group.text):
                yield group, f"a placeholder, {group.text}; the user is in no such group"
        password = user.get("password")
        if password.value == "":
            yield password, "no effect, as it is empty: nobody can log in by a password; give one, or leave it out"
        elif password.text in EXAMPLE_PASSWORDS:
            yield password, "the password of an example, which everybody knows: give another one"
        elif password.text.startswith("$") and not is_whole_hash(password.text):
            yield password, "a hash that was cut or changed (not shown): nobody can log in by a password"


def _repository_notes(tree: Node) -> Notes:
    for repository in tree.get("packageRepositories").items:
        if is_left_out(repository):
            yield repository, f"a placeholder, {URL_PLACEHOLDER}; the repository is left out"
        for key in (repository.get("pkey"), *repository.get("pkeys").items):
            if key.text == KEY_PLACEHOLDER and not is_left_out(repository):
                yield key, f"a placeholder, {KEY_PLACEHOLDER}; the key is left out"


def whole_notes(tree: Node) -> Notes:
    """Say what has no effect beside the rest of a merged recipe."""
    policy = tree.get("overlayPolicy")
    if policy.value is not None and tree.get("baseline", "mode").text != "overlay":
        yield policy, "no effect without baseline.mode: overlay"
    yield from wsl_notes(tree)
    yield from iso_notes(tree)
    yield from immutability_notes(tree)
    yield from _boot_notes(tree)
    disk = tree.get("disk")
    yield from grow_notes(disk.get("partitions").items, extends=disk.get("extendLastPartitionToFillDisk").true)


def _boot_notes(tree: Node) -> Notes:
    if not is_on(tree):
        yield from _root_notes(tree.get("systemConfig", "kernel", "cmdline"), tree.get("disk", "partitions").items)
    entries = tree.get("systemConfig", "kernel", "entries")
    if entries.true and bootloader_of(tree.get("systemConfig", "bootloader")).provider == "grub":
        yield entries, "no effect with GRUB, whose menu never is a unified kernel image"
    yield from _overwritten(tree.get("systemConfig"))
    for item in tree.get("disk", "partitions").items:
        if tree.get("disk", "partitionTableType").text == "mbr" and item.get("name").text:
            yield item.get("name"), "no effect, as an MBR has no names"
        is_bios = is_bios_boot(item)
        if item.get("fsLabel").text and (is_bios or not file_system_of(item)):
            yield item.get("fsLabel"), "no effect on a partition without a file system"
        if is_bios and item.get("fsType").text not in {"", "none", "unformatted"}:
            yield item.get("fsType"), "no effect on a partition of type bios, which has GRUB's own content or none"
        elif (word := item.get("fsType").text) in FILE_SYSTEMS and FILE_SYSTEMS[word].is_drawn:
            drawn = f"two builds differ: the tools of {word} draw identifiers, and take times from the clock"
            yield item.get("fsType"), drawn


def _root_notes(command_line: Node, partitions: list[Node]) -> Notes:
    """Say where ``root=`` is not a partition of the recipe's disk, as far as its name tells."""
    labels = {item.get("fsLabel").text for item in partitions}
    names = {item.get("name").text or item.get("id").text for item in partitions}
    for word in command_line.text.split():
        key, _, device = word.partition("=")
        kind, _, name = device.partition("=")
        known = {"LABEL": labels, "PARTLABEL": names}.get(kind)
        if key == "root" and (device.startswith("/dev/mapper/") or (known is not None and name not in known)):
            text = f"no partition of the disk is {device}: the image boots only if its initramfs makes this device"
            yield command_line, text


def _overwritten(system: Node) -> Notes:
    """Say which additional files the boot method replaces."""
    loader = bootloader_of(system.get("bootloader"))
    method = method_name(loader.boot_type, loader.provider, entries=system.get("kernel", "entries").true)
    for final in (file.get("final") for file in system.get("additionalFiles").items):
        if final.text in OWN_FILES.get(method, ()):
            yield (
                final,
                "no effect, as the build writes this file for the boot loader; kernel.cmdline has the command line",
            )


def family_notes(tree: Node, family: str) -> Notes:
    """Say what has no effect with packages of this family."""
    node = tree.get("systemConfig", "scriptletsMayFail")
    if family == "deb" and node.items:
        yield node, "no effect on an image of debs, as dpkg lets no script of a package fail"
    yield from _made_notes(tree, family)


def _made_notes(tree: Node, family: str) -> Notes:
    """Say what has no effect on a repository that is made of package files."""
    for repository in tree.get("packageRepositories").items:
        if not repository.get("packages").items:
            continue
        for key in ("component", "signedMetadata"):
            if repository.get(key).value is not None:
                yield repository.get(key), "no effect on package files, which have no metadata"
        for node in (repository.get("pkey"), *repository.get("pkeys").items) if family == "deb" else ():
            if node.text and node.text not in {KEY_PLACEHOLDER, "[trusted=yes]"}:
                yield node, "no effect on package files: no deb is signed by itself"


def is_left_out(repository: Node) -> bool:
    """Tell whether a repository is a public sample's."""
    return repository.get("url").text == URL_PLACEHOLDER


def series_notes(tree: Node, distribution: Distribution) -> Notes:
    """Say where ``kernel.version`` has no effect, as with public tools."""
    version = tree.get("systemConfig", "kernel", "version")
    if version.text and distribution.kernel_version_ignored:
        yield version, f"no effect on {distribution.id}, as with public tools; NAME=VERSION in kernel.packages has one"
