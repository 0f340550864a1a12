"""Fields that are understood but cannot be built yet. A build refuses them by name; none is ignored.

Building one takes its line out of here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.config.architecture import ARCHITECTURES
from oic.config.assemble import bootloader_of
from oic.config.checks import TRUSTED
from oic.config.disk import IMG, ISO, file_system_of, is_bios_boot, mount_point
from oic.config.mounts import OF_PACKAGES, WRITTEN
from oic.config.notes import is_left_out
from oic.config.recipe_repositories import is_trusted, keys_of
from oic.config.repositories import key_in
from oic.config.whole import is_overlay
from oic.image.boot import method_name
from oic.image.formats import DISK_FORMATS
from oic.image.fs import FILE_SYSTEMS
from oic.image.verity import VERITY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.config.distribution import DistributionData
    from oic.config.source import Node

    Found = Iterator[tuple[Node, str]]

REDACTED = "<redacted>"
"""What stands for a password in a printed recipe."""
_NOT_YET = "is not built yet"


def unbuilt_in(tree: Node, data: DistributionData) -> Found:
    """Say every field of a merged recipe that a build must refuse, with the reason."""
    yield from _target(tree.get("target"), data)
    if is_overlay(tree):
        yield tree.get("baseline", "mode"), f"building onto a finished image {_NOT_YET}"
    yield from _disk(tree.get("disk"), data)
    yield from _artifacts(tree.get("disk", "artifacts"), data)
    yield from _system(tree.get("systemConfig"), data)
    for user in tree.get("systemConfig", "users").items:
        if user.get("password").text == REDACTED:
            yield user.get("password"), f"expected the password of {user.get('name').text}, found {REDACTED}"
    for repository in tree.get("packageRepositories").items:
        if not is_left_out(repository):
            yield from _repository(repository, data.facts.get("provider").text if data.facts else "")
    if tree.get("iso", "repository").value is True and tree.get("target", "imageType").text == ISO:
        yield from _carried(tree)
    tools = tree.get("tools")
    if tools.text and tools.text not in {data.id, data.id.rpartition("/")[2]}:
        yield tools, f"a build environment of other packages than the distribution's own {_NOT_YET}"


def _carried(tree: Node) -> Found:
    """Say which repositories a medium cannot carry: nothing but the recipe vouches for their packages."""
    for entry in tree.get("packageRepositories").items:
        if not is_left_out(entry) and (is_trusted(entry) or entry.get("packages").items):
            name = entry.get("codename").text or "a list of package files"
            said = f"expected repositories with an index for the medium to carry, found {name} without one"
            yield (
                tree.get("iso", "repository"),
                f"{said}: publish it as a signed repository, or leave iso.repository out",
            )


def _repository(repository: Node, family: str) -> Found:
    files = repository.get("packages").items
    for key in (repository.get("pkey"), *repository.get("pkeys").items):
        if key_in(key).source.lower().startswith("http://") and not key_in(key).fingerprints and not files:
            yield key, "expected a key by https, or its fingerprint ({key: URL, fingerprint: …}), found http alone"
    if not (files or keys_of(repository) or is_trusted(repository)):
        said = "expected a key in place of the placeholder, as nothing else vouches for the packages"
        yield repository, f"{said} ({TRUSTED} takes them unsigned)"
    if repository.get("mirrorList").text and family == "deb":
        yield repository.get("mirrorList"), f"a mirror list of debs {_NOT_YET}"
    if files and keys_of(repository) and family != "deb":
        yield repository, f"a key that package files are held against {_NOT_YET}: leave it out"
    if repository.get("insecureSkipVerify").true and not (files and all(file.get("sha256").text for file in files)):
        said = "expected TLS to be verified, or the sha256 of each package file, found it switched off"
        yield repository.get("insecureSkipVerify"), f"{said}: another authority is named by OIC_CA"


def _target(target: Node, data: DistributionData) -> Found:
    if target.get("arch").text not in ARCHITECTURES:
        yield target.get("arch"), f"an image for {target.get('arch').text} {_NOT_YET}"
    kind = target.get("imageType")
    if kind.text in {ISO, IMG} and data.facts and kind.text not in _named(data):
        yield kind, f"an image of type {kind.text} {_NOT_YET} for {data.id}: its data name no tools"


def _disk(disk: Node, data: DistributionData) -> Found:
    for partition in disk.get("partitions").items:
        yield from _partition(partition, data)


def _partition(partition: Node, data: DistributionData) -> Found:
    word = "" if is_bios_boot(partition) else file_system_of(partition)
    if word and word not in FILE_SYSTEMS:
        yield partition.get("fsType"), f"the file system {word} {_NOT_YET}"
    elif word and (tools := FILE_SYSTEMS[word].tools) and data.facts and tools not in _named(data):
        yield partition.get("fsType"), f"{word} {_NOT_YET} for {data.id}: its data name no tools"
    at = mount_point(partition.get("mountPoint").text)
    if word in FILE_SYSTEMS and not FILE_SYSTEMS[word].holds_files and at in (*WRITTEN, *OF_PACKAGES):
        yield partition.get("fsType"), f"{at} on {word} {_NOT_YET}, as its tools fill none: ext4 or btrfs is"


def _artifacts(artifacts: Node, data: DistributionData) -> Found:
    """Say which formats and compressions the distribution's data name no tools for."""
    named = _named(data)
    for artifact in artifacts.items:
        form, compression = artifact.get("type"), artifact.get("compression")
        if form.text in DISK_FORMATS and "conversion" not in named:
            yield form, f"conversion to {form.text} {_NOT_YET} for {data.id}: its data name no tools"
        if (compression.text or form.text == "tar") and "compression" not in named:
            yield artifact, f"a compressed artefact or an archive {_NOT_YET} for {data.id}: its data name no tools"


def _named(data: DistributionData) -> dict[str, Node]:
    """Return what the distribution's data name further tools for."""
    return data.facts.get("toolsFor").entries if data.facts else {}


def _system(system: Node, data: DistributionData) -> Found:
    yield from _boot(system.get("bootloader"), data)
    if system.get("fde", "enabled").true:
        yield system.get("fde", "enabled"), f"an encrypted disk {_NOT_YET}"
    immutability = system.get("immutability")
    if immutability.get("enabled").true and data.facts and VERITY not in _named(data):
        yield immutability.get("enabled"), f"a read-only root {_NOT_YET} for {data.id}: its data name no tools"
    for key in ("updates", "encrypt"):
        if immutability.get(key).value not in {None, False, "none"}:
            yield immutability.get(key), f"{key} {_NOT_YET}"


def _boot(loader: Node, data: DistributionData) -> Found:
    wanted = bootloader_of(loader)
    needed = method_name(wanted.boot_type, wanted.provider, entries=False)
    if needed != "systemd-boot" and data.facts and needed not in _named(data):
        node = loader.get("provider") if loader.get("provider").text else loader.get("bootType")
        said = f"{data.id} with the boot loader {wanted.provider} and bootType {wanted.boot_type} {_NOT_YET}"
        yield node, f"{said}: its data name no tools"
