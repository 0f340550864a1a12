"""The final config: a recipe merged over its distribution's defaults, as frozen values.

Every stage reads slices of these values and nothing else. Sizes and offsets are bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

    from oic.values import Bytes, Digest, ImageName


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What the artefacts are called: ``<name>-<version>.raw``."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Which distribution, for which machine, as which kind of image."""

    os: str
    dist: str
    arch: str
    image_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key file: `source` is its absolute path or its http(s) or file URL.

    `fingerprints` are those of the primary keys that alone count of it; without any, the whole file does. `sha256` is
    of a file of this host, taken when the recipe was read; empty where there is none.
    """

    source: str
    fingerprints: tuple[str, ...] = ()
    sha256: str = ""

    @property
    def url(self) -> str:
        """Return the source as a URL."""
        return self.source if "://" in self.source else f"file://{quote(self.source)}"

    @property
    def path(self) -> str:
        """Return the path of a file of this host; empty for what comes over the network."""
        return unquote(urlsplit(self.url).path) if self.url.startswith("file://") else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """One package repository: a deb suite or an rpm base URL.

    `trusted` means unsigned by the recipe's own word. `mirror_list`, where it is not empty, is the URL of a list of
    base URLs, any of which stands in for `url`; `of_host`: the URL is what the host's own apt or dnf uses.
    `image_key` is the key file by which the image is to know the repository, a path in the image.
    """

    name: str
    url: str
    suite: str = ""
    components: tuple[str, ...] = ()
    keys: tuple[Key, ...]
    mirror_list: str = ""
    image_key: str = ""
    trusted: bool = False
    of_host: bool = False
    priority: int = 0
    allow_packages: tuple[str, ...] = ()


def repository_of(entry: dict[str, Any]) -> Repository:
    """Return the repository that a slice has as plain values."""
    keys = tuple(Key(**{**key, "fingerprints": tuple(key["fingerprints"])}) for key in entry["keys"])
    lists = {name: tuple(value) for name, value in entry.items() if isinstance(value, list)}
    return Repository(**{**entry, **lists, "keys": keys})


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """One entry of the partition table, as the recipe places it.

    Without `start` it begins where the one before it ends; it reaches to `end`, or is `size` bytes long, or, with
    neither, takes the rest of the disk.
    """

    id: str
    name: str
    type_uuid: str
    fs_type: str
    fs_label: str
    start: Bytes | None
    end: Bytes | None
    size: Bytes | None
    mount_point: str
    mount_options: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The raw disk's size and partitions, in table order."""

    size: Bytes
    table: str
    partitions: tuple[Partition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """Kernel packages, command line and modules added to the initramfs."""

    packages: tuple[str, ...]
    version: str
    cmdline: str
    extra_modules: tuple[str, ...]
    uki: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootloader:
    """Firmware interface (``efi``) and boot manager (``systemd-boot``)."""

    boot_type: str
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account; `password` is plain text or a crypt hash beginning with ``$``, empty for a locked account."""

    name: str
    password: str
    hash_algo: str
    password_max_age: int | None
    startup_script: str
    groups: tuple[str, ...]
    sudo: bool
    home: str
    shell: str
    ssh_authorized_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdditionalFile:
    """A local file and where it goes; `sha256` and `mode` were taken when the recipe was read; None: it isn't there.

    `owner` is a name or number of the image's, with or without a group, or empty; `outside` tells that the file is not
    below the directory of the YAML file that names it.
    """

    local: Path
    final: str
    sha256: Digest | None
    mode: int
    owner: str
    outside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A shell command run in the image's chroot."""

    cmd: str
    network: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Units to enable, disable and mask."""

    enable: tuple[str, ...]
    disable: tuple[str, ...]
    mask: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What is in the image beyond its packages' own content."""

    hostname: str
    packages: tuple[str, ...]
    recommends: bool
    kernel: Kernel
    bootloader: Bootloader
    users: tuple[User, ...]
    files: tuple[AdditionalFile, ...]
    commands: tuple[Command, ...]
    services: Services
    timezone: str
    locale: str
    keymap: str
    package_sources: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Facts about the target, from its data file.

    `id` is ``os/dist``; `provider` is the package family; `architecture` is the family's own word (``amd64``);
    `tools` are the packages of the build environment, resolved in `tools_repositories`.
    """

    id: str
    provider: str
    release: str
    architecture: str
    tools: tuple[str, ...]
    tools_repositories: tuple[Repository, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalConfig:
    """Everything a build needs to know.

    `image_name` is the recipe's file name without ending, `recipe` its absolute path, `lock` the lock file beside it
    (or named by it) if there is one, `notes` the warnings met and what the distribution's defaults are without for now,
    `unbuilt` the fields that validate but cannot be built yet and `absent` the files that are not there, the latter two
    as ``file:line: key path: reason``.
    """

    image_name: ImageName
    recipe: Path
    lock: Path | None
    image: Image
    target: Target
    distribution: Distribution
    repositories: tuple[Repository, ...]
    disk: Disk
    system: System
    notes: tuple[str, ...]
    unbuilt: tuple[str, ...]
    absent: tuple[str, ...]
