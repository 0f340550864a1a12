"""Reads a finished tree for later stages: kernel, initramfs generator, files of the ESP, private keys.

It runs in a namespace.
"""

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
class BootSources:
    """The kernel, its `image`, the files of the ESP, and the paths of the topmost layer that the generator reads.

    With `hooks`, the generator may read all of that layer.
    """

    kernel: kernels.Kernel
    image: bytes
    esp: Mapping[str, bytes]
    generator: str
    paths: tuple[str, ...]
    hooks: bool


def read(trees: Sequence[Path], work: Path, esp_at: str) -> BootSources:
    """Return the inputs of boot image and initramfs; raises OicError when there is no kernel or no generator."""
    with overlay.merged(trees, work / "root") as root:
        kernel, image = child.inside(root, kernels.newest)
        generator = child.inside(root, generators.generator_of)
        files = child.inside(root, esp.files_below, esp_at)
    paths = child.inside(trees[-1], generators.paths_read, generator)
    hooks = generators.has_hooks(paths, generator)
    return BootSources(kernel=kernel, image=image, esp=files, generator=generator, paths=paths, hooks=hooks)


def private_keys(
    trees: Sequence[Path], work: Path, files: Sequence[str], packages: Sequence[PrivateKey]
) -> tuple[PrivateKey, ...]:
    """Return the private keys of the tree that no package contains, each with its origin."""
    top = child.inside(trees[-1], drawn.private_keys, (), {}, ())
    with overlay.merged(trees, work / "root") as root:
        left = child.inside(root, drawn.still_there, [key.path for key in packages])
    found = {key.path: key for key in packages if key.path in left}
    for path, kind in top.items():
        made = drawn.OF_RECIPE if path in files else "made by a setting or a command of the recipe"
        found[path] = PrivateKey(path=path, kind=kind, made=made)
    return tuple(found[path] for path in sorted(found))
