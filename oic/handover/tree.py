"""What the stages that make a tree hand on: the layers it is made of, and what initramfs and boot image read of it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, ClassVar

from oic.handover.codec import Handover
from oic.ospackage.locked import LockedRepository  # noqa: TC001 - read when a hand-over is decoded
from oic.values import Bytes, Digest, Value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Self


class LayerName(Value):
    """A layer: where it is in the cache, and the digest of its content."""

    place: str
    digest: str


class Artefact(Value):
    """A file of the cache: its path there, the sha256 of its content and its size."""

    path: str
    sha256: Digest
    size: Bytes

    @classmethod
    def of(cls, path: str, content: bytes) -> Self:
        """Return a file of this content."""
        return cls(path=path, sha256=Digest(hashlib.sha256(content).hexdigest()), size=Bytes(len(content)))


class OfTree(Handover):
    """What is handed on of one tree."""

    OF_TREE: ClassVar[bool] = True


class BuildEnvironment(Handover):
    """The build environment, in which every tool runs."""

    FILE: ClassVar[str] = "chroot.json"
    layer: LayerName

    def artefacts(self) -> Iterable[str]:
        """Return its layer."""
        return (self.layer.place,)


class PrivateKey(Value):
    """A private key that no package brought: where it is, in which format, and who made it, in words."""

    path: str
    kind: str
    made: str


class PassedOver(Value):
    """A scriptlet that failed and was let pass: whose, its `phase` (``%post``), how it ended, what it said last."""

    package: str
    phase: str
    how: str
    lines: tuple[str, ...]

    def is_let_pass(self, allowed: Collection[str]) -> bool:
        """Tell whether its package, or this phase of it, is among the words of ``scriptletsMayFail``."""
        return self.package in allowed or f"{self.package} {self.phase}" in allowed


class PassedScriptlets(OfTree):
    """The scriptlets of the image's packages that failed and were let pass, for the manifest."""

    FILE: ClassVar[str] = "scriptlets.json"
    scriptlets: tuple[PassedOver, ...]


class InstalledTree(OfTree):
    """The packages' layers, lowest first, the newest time in them, keys that were drawn, and their repositories."""

    FILE: ClassVar[str] = "rootfs.json"
    layers: tuple[LayerName, ...]
    epoch: int
    private_keys: tuple[PrivateKey, ...]
    repositories: tuple[LockedRepository, ...]

    def artefacts(self) -> Iterable[str]:
        """Return its layers."""
        return [layer.place for layer in self.layers]


class PrivateKeys(OfTree):
    """The private keys of the whole tree that no package brought."""

    FILE: ClassVar[str] = "private-keys.json"
    private_keys: tuple[PrivateKey, ...]


class ConfiguredTree(OfTree):
    """The whole tree: the packages' layers and on top the recipe's own."""

    FILE: ClassVar[str] = "system.json"
    layers: tuple[LayerName, ...]
    epoch: int

    def artefacts(self) -> Iterable[str]:
        """Return the configuration layer; the others are the rootfs stage's."""
        return (self.layers[-1].place,)


class InitramfsInputs(OfTree):
    """The tree an initramfs is made of: the packages, and a layer of what its `generator` reads of the rest."""

    FILE: ClassVar[str] = "initrd-inputs.json"
    generator: str
    version: str
    packages: tuple[LayerName, ...]
    read: LayerName | None
    epoch: int

    def artefacts(self) -> Iterable[str]:
        """Return the layer of what is read."""
        return [self.read.place] if self.read else []


class Initramfs(OfTree):
    """The initramfs."""

    FILE: ClassVar[str] = "initrd.json"
    image: Artefact

    def artefacts(self) -> Iterable[str]:
        """Return its file."""
        return (self.image.path,)


class EspFile(Value):
    """A file that the tree has for the EFI system partition; `name` is its path there."""

    name: str
    file: Artefact


class BootInputs(OfTree):
    """What the boot image takes from the tree: kernel, os-release(5), and what lies below the ESP's mount point."""

    FILE: ClassVar[str] = "boot-inputs.json"
    kernel: Artefact
    version: str
    os_release: str
    esp: tuple[EspFile, ...]
    epoch: int

    def artefacts(self) -> Iterable[str]:
        """Return kernel and files."""
        return [self.kernel.path, *(entry.file.path for entry in self.esp)]
