"""Hand-overs of the stages that create a tree: its layers, and what initramfs and boot image read of it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from oic.handover.codec import Handover, NamedFile
from oic.ospackage.locked import LockedRepository  # noqa: TC001 - read when a hand-over is decoded
from oic.values import Bytes, Digest, Value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Self


class LayerName(Value):
    """A layer: its path in the cache, and the digest of its content."""

    place: str
    digest: str


class Artefact(Value):
    """A file of the cache: its path, the sha256 of its content and its size."""

    path: str
    sha256: Digest
    size: Bytes

    @classmethod
    def of(cls, path: str, content: bytes) -> Self:
        """Return the artefact at `path` with this content."""
        return cls(path=path, sha256=Digest(hashlib.sha256(content).hexdigest()), size=Bytes(len(content)))

    @property
    def recorded(self) -> Digest:
        """Return the digest that it was written with."""
        return self.sha256

    @property
    def sparse(self) -> bool:
        """Return False: the digest is the sha256."""
        return False


class OfTree(Handover):
    """A hand-over of one tree."""

    OF_TREE: ClassVar[bool] = True


@runtime_checkable
class Layered(Protocol):
    """A hand-over that names the layers of a tree, lowest first."""

    @property
    def layers(self) -> tuple[LayerName, ...]:
        """The layers, lowest first."""


class BuildEnvironment(Handover):
    """The build environment, in which all tools run."""

    FILE: ClassVar[str] = "chroot.json"
    layer: LayerName

    @property
    def layers(self) -> tuple[LayerName, ...]:
        """Its layer, as the one of which this tree is made."""
        return (self.layer,)

    def artefacts(self) -> Iterable[str]:
        """Return its layer."""
        return (self.layer.place,)


class PrivateKey(Value):
    """A private key that no package contains: its path, its format, and a text that tells its origin."""

    path: str
    kind: str
    made: str


class PassedOver(Value):
    """A scriptlet whose failure was tolerated: its package, its `phase` (``%post``), its end and its last output."""

    package: str
    phase: str
    how: str
    lines: tuple[str, ...]

    def is_let_pass(self, allowed: Collection[str]) -> bool:
        """Tell whether `allowed`, a list as in ``scriptletsMayFail``, names its package or this phase of it."""
        return self.package in allowed or f"{self.package} {self.phase}" in allowed


class PassedScriptlets(OfTree):
    """The scriptlets of the image's packages whose failure was tolerated, for the manifest."""

    FILE: ClassVar[str] = "scriptlets.json"
    scriptlets: tuple[PassedOver, ...]


class InstalledTree(OfTree):
    """The layers of the packages, lowest first, the newest time in them, generated keys, and the repositories."""

    FILE: ClassVar[str] = "rootfs.json"
    layers: tuple[LayerName, ...]
    epoch: int
    private_keys: tuple[PrivateKey, ...]
    repositories: tuple[LockedRepository, ...]

    def artefacts(self) -> Iterable[str]:
        """Return its layers."""
        return [layer.place for layer in self.layers]


class PrivateKeys(OfTree):
    """The private keys of the whole tree that no package contains."""

    FILE: ClassVar[str] = "private-keys.json"
    private_keys: tuple[PrivateKey, ...]


class ConfiguredTree(OfTree):
    """The whole tree: the layers of the packages, and on top the configuration layer."""

    FILE: ClassVar[str] = "system.json"
    layers: tuple[LayerName, ...]
    epoch: int

    def artefacts(self) -> Iterable[str]:
        """Return the configuration layer; the others belong to the rootfs stage."""
        return (self.layers[-1].place,)


class InitramfsInputs(OfTree):
    """The tree an initramfs is made of: the packages, and a layer of what its `generator` reads of the rest.

    `versions` are the kernels that get one each, the newest first.
    """

    FILE: ClassVar[str] = "initrd-inputs.json"
    generator: str
    versions: tuple[str, ...]
    packages: tuple[LayerName, ...]
    read: LayerName | None
    epoch: int

    def artefacts(self) -> Iterable[str]:
        """Return the layer that is read, if any."""
        return [self.read.place] if self.read else []


class Initramfs(OfTree):
    """An initramfs for each kernel, in the order of the kernels.

    `generator` made them, with `modules` of the recipe in each.
    """

    FILE: ClassVar[str] = "initrd.json"
    images: tuple[Artefact, ...]
    generator: str
    modules: tuple[str, ...]

    def files(self) -> Iterable[NamedFile]:
        """Return their files."""
        return self.images


class TreeKernel(Value):
    """A kernel of the tree: its release as ``uname -r`` says it, its path in the tree, and a copy of it."""

    version: str
    path: str
    file: Artefact


class EspFile(Value):
    """A file of the tree for the EFI system partition; `name` is its path on the partition."""

    name: str
    file: Artefact


class BootInputs(OfTree):
    """What the boot image takes from the tree: kernels, os-release(5), and what lies below the ESP's mount point.

    The kernels are the newest first.
    """

    FILE: ClassVar[str] = "boot-inputs.json"
    kernels: tuple[TreeKernel, ...]
    os_release: str
    esp: tuple[EspFile, ...]
    epoch: int

    def files(self) -> Iterable[NamedFile]:
        """Return kernels and files."""
        return [*(kernel.file for kernel in self.kernels), *(entry.file for entry in self.esp)]
