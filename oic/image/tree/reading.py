"""What is read of a finished tree: kernel, initramfs generator, the ESP's files, private keys. Runs in a namespace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.chroot import overlay
from oic.handover.tree import PrivateKey
from oic.image.tree import drawn, esp, generators, kernels
from oic.process import child

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Kernel and ESP files as they are; `paths` of the topmost layer that the generator reads, or the `whole` of it."""

    kernel: kernels.Kernel
    image: bytes
    esp: Mapping[str, bytes]
    generator: str
    paths: tuple[str, ...]
    whole: bool


def read(trees: Sequence[Path], work: Path, esp_at: str) -> Read:
    """Return what boot image and initramfs are made of; raises OicError when there is no kernel or no generator."""
    with overlay.merged(trees, work / "root") as root:
        kernel, image = child.inside(root, kernels.newest)
        generator = child.inside(root, generators.generator_of)
        files = child.inside(root, esp.files_below, esp_at)
    paths = child.inside(trees[-1], generators.paths_read, generator)
    whole = generators.is_open(paths, generator)
    return Read(kernel=kernel, image=image, esp=files, generator=generator, paths=paths, whole=whole)


def private_keys(
    trees: Sequence[Path], work: Path, files: Sequence[str], packages: Sequence[PrivateKey]
) -> tuple[PrivateKey, ...]:
    """Return the private keys of the whole tree that no package brought, each with who made it."""
    top = child.inside(trees[-1], drawn.private_keys, (), {}, ())
    with overlay.merged(trees, work / "root") as root:
        left = child.inside(root, drawn.still_there, [key.path for key in packages])
    found = {key.path: key for key in packages if key.path in left}
    for path, kind in top.items():
        made = drawn.OF_RECIPE if path in files else "made by a setting or a command of the recipe"
        found[path] = PrivateKey(path=path, kind=kind, made=made)
    return tuple(found[path] for path in sorted(found))
