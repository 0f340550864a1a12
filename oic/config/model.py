"""The final config: a recipe merged over its distribution's defaults, as frozen values.

Every stage reads slices of these values and nothing else. Sizes and offsets are bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import field

from oic.values import Bytes, Digest, Value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from oic.config.iso import Iso
    from oic.config.repository import Repository
    from oic.config.secure_boot import SecureBoot
    from oic.image.verity import ReadOnlyRoot
    from oic.values import ImageName


class Image(Value):
    """What the artefacts are called: ``<name>-<version>.raw``."""

    name: str
    version: str


class Target(Value):
    """Which distribution, for which machine, as which kind of image."""

    os: str
    dist: str
    arch: str
    image_type: str


class Partition(Value):
    """One entry of the partition table, as the recipe places it.

    Without `start` it begins where the one before it ends; it reaches to `end`, or is `size` bytes long, or, with
    neither, takes the rest of the disk. One `by_content` is as large as its content wants, and `size` is the least.
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
    by_content: bool = False


class Disk(Value):
    """The raw disk's size, 0 for one as large as its partitions want, and its partitions in table order.

    If it `grows`, the partition that is last on the disk takes what a larger device has behind it.
    """

    size: Bytes
    table: str
    partitions: tuple[Partition, ...]
    grows: bool = False


class Artifact(Value):
    """A file to make of the disk: its format and how it is compressed, ``gz`` or nothing."""

    type: str
    compression: str


class Kernel(Value):
    """Kernel packages, command line and modules added to the initramfs.

    With `entries`, boot loader entries are made in place of unified kernel images.
    """

    packages: tuple[str, ...]
    version: str
    cmdline: str
    entries: bool
    extra_modules: tuple[str, ...]


class Bootloader(Value):
    """Firmware interface, ``efi`` or ``legacy``, and boot manager, ``systemd-boot`` or ``grub``."""

    boot_type: str
    provider: str


class User(Value):
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


class AdditionalFile(Value):
    """A file, directory or symbolic link and where it goes; what is to know of it was taken when the recipe was read.

    `kind` is ``file``, ``directory``, ``link`` or, where there is nothing, empty. `content` is the text of a file that
    is in the recipe itself, or the target of a link. `owner` is a name or number of the image's, with or without a
    group, or empty; `outside` tells that the file is not below the directory of the YAML file that names it.
    """

    local: Path
    final: str
    kind: str
    mode: int
    owner: str
    sha256: Digest = Digest("")
    content: str | None = None
    outside: bool = False


class Route(Value):
    """A network, or ``default``, and the address it is reached by."""

    to: str
    via: str


class Interface(Value):
    """A network interface: its addresses by DHCP, or as they are written, with their prefixes."""

    name: str
    dhcp4: bool
    dhcp6: bool
    addresses: tuple[str, ...]
    routes: tuple[Route, ...]
    nameservers: tuple[str, ...]


class Network(Value):
    """Interfaces and the program that sets them up: ``systemd-networkd`` or ``netplan``."""

    backend: str
    interfaces: tuple[Interface, ...]


class Command(Value):
    """A shell command run in the image's chroot."""

    cmd: str
    network: bool


class Services(Value):
    """Units to enable, disable and mask."""

    enable: tuple[str, ...]
    disable: tuple[str, ...]
    mask: tuple[str, ...]


class System(Value):
    """What is in the image beyond its packages' own content."""

    hostname: str
    packages: tuple[str, ...]
    excluded_packages: tuple[str, ...]
    recommends: bool
    kernel: Kernel
    bootloader: Bootloader
    network: Network
    users: tuple[User, ...]
    files: tuple[AdditionalFile, ...]
    commands: tuple[Command, ...]
    services: Services
    timezone: str
    locale: str
    keymap: str
    package_sources: str
    scriptlets_may_fail: tuple[str, ...]


class Distribution(Value):
    """Facts about the target, from its data file.

    `id` is ``os/dist``; `provider` is the package family; `architecture` is the family's own word (``amd64``);
    `tools` are the packages of the build environment, resolved in `tools_repositories`, `tools_for` the further ones by
    what needs them (``conversion``). `off` are the names of the
    distribution's other repositories, which nothing is taken from; `scriptlets_may_fail` are known to fail without
    harm. `kernel_version_ignored`: ``kernel.version`` has no effect, as with public tools.
    """

    id: str
    provider: str
    release: str
    architecture: str
    tools: tuple[str, ...]
    tools_repositories: tuple[Repository, ...]
    tools_for: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    packages_for: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    off: tuple[str, ...] = ()
    scriptlets_may_fail: tuple[str, ...] = ()
    kernel_version_ignored: bool = False


class FinalConfig(Value):
    """Everything a build needs to know.

    `repositories` are the image's: the tools have those of the distribution alone, `Distribution.tools_repositories`.
    `image_name` is the recipe's file name without ending, `recipe` its absolute path, `lock` the lock file beside it
    (or named by it) if there is one, `notes` the warnings and what the distribution's defaults lack for now, `unbuilt`
    the fields that validate but cannot be built yet, as ``file:line: key path: reason``, `variables` the names of those
    that the recipe uses. `read_only` is there where the root is verified, `secure_boot` where the image is signed with
    keys of its own. An ISO has `iso`, and in `medium` the config of the initramfs that it boots.
    """

    image_name: ImageName
    recipe: Path
    lock: Path | None
    image: Image
    target: Target
    distribution: Distribution
    repositories: tuple[Repository, ...]
    disk: Disk
    artifacts: tuple[Artifact, ...]
    system: System
    notes: tuple[str, ...]
    unbuilt: tuple[str, ...]
    variables: tuple[str, ...] = ()
    read_only: ReadOnlyRoot | None = None
    secure_boot: SecureBoot | None = None
    iso: Iso | None = None
    medium: FinalConfig | None = None
