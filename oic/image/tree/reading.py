"""Reads a finished tree for later stages: kernel, initramfs generator, files of the ESP, private keys.

It runs in a namespace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.chroot import overlay
from oic.handover.tree import PrivateKey
from oic.image.tree import drawn, esp, generators, kernels
from oic.process import child
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path


class TreeContent(Value):
    """The kernels, newest first, os-release(5), the ESP's files, and private keys of the tree that no package contains.

    `paths` are those of the topmost layer that the generator reads. With `hooks`, it may read all of that layer.
    """

    kernels: Sequence[kernels.Kernel]
    os_release: str
    esp: Mapping[str, bytes]
    generator: str
    paths: tuple[str, ...]
    hooks: bool
    private_keys: tuple[PrivateKey, ...]


def read(  # noqa: PLR0913 - runs in a namespace: all it knows is said here
    trees: Sequence[Path],
    work: Path,
    esp_at: str,
    placed: Collection[str],
    keys: Sequence[PrivateKey],
    has_kernel: bool,  # noqa: FBT001 - called by its place, in a namespace
    has_initramfs: bool,  # noqa: FBT001 - as above
) -> TreeContent:
    """Return what boot image, initramfs and manifest need; raises OicError when there is no kernel or no generator.

    `placed` are the paths of the recipe's files, `keys` the private keys of the packages' layers. Without
    `has_kernel`, there need be no kernel, without `has_initramfs` no generator.
    """
    with overlay.merged(trees, work / "root") as root:
        found = child.inside(root, kernels.kernels_of) if has_kernel else []
        os_release = child.inside(root, kernels.os_release)
        generator = child.inside(root, generators.generator_of) if has_initramfs else ""
        files = child.inside(root, esp.files_below, esp_at)
        left = child.inside(root, drawn.still_there, [key.path for key in keys])
    paths = child.inside(trees[-1], generators.paths_read, generator) if has_initramfs else ()
    added = child.inside(trees[-1], drawn.private_keys, (), {}, ())
    return TreeContent(
        kernels=found,
        os_release=os_release,
        esp=files,
        generator=generator,
        paths=paths,
        hooks=has_initramfs and generators.has_hooks(paths, generator),
        private_keys=_private_keys([key for key in keys if key.path in left], added, placed),
    )


def _private_keys(
    keys: Sequence[PrivateKey], added: Mapping[str, str], placed: Collection[str]
) -> tuple[PrivateKey, ...]:
    """Return the keys of the packages' layers, and those that the recipe added with who made each."""
    found = {key.path: key for key in keys}
    for path, kind in added.items():
        made = drawn.OF_RECIPE if path in placed else "made by a setting or a command of the recipe"
        found[path] = PrivateKey(path=path, kind=kind, made=made)
    return tuple(found[path] for path in sorted(found))
