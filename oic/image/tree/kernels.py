"""The kernels of an image, newest first: those of a tree that have both an image and modules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oic.errors import OicError
from oic.values import Value

if TYPE_CHECKING:
    from pathlib import Path


class Kernel(Value):
    """A kernel: its release (``uname -r``), the path of its image in the tree, and that image."""

    version: str
    path: str
    image: bytes


def kernels_of(root: Path) -> list[Kernel]:
    """Return the kernels of a tree, the newest first; raises OicError for none. Runs with the tree as its root."""
    modules = root / "usr/lib/modules"
    versions = [path.name for path in modules.iterdir()] if modules.is_dir() else []
    found = []
    for version in sorted(versions, key=_natural, reverse=True):
        for path in (f"boot/vmlinuz-{version}", f"usr/lib/modules/{version}/vmlinuz"):
            if (root / path).is_file():
                found.append(Kernel(version=version, path=path, image=(root / path).read_bytes()))
                break
    if found:
        return found
    raise OicError(
        "expected a kernel (boot/vmlinuz-VERSION and its modules) among the image's packages, found none",
        hint="name one in systemConfig.kernel.packages",
    )


def _natural(version: str) -> list[tuple[int, str]]:
    return [(int(word), "") if word.isdigit() else (-1, word) for word in re.findall(r"\d+|[^\d]+", version)]


def os_release(root: Path) -> str:
    """Return the text of os-release(5); empty where there is none. Runs with the tree as its root."""
    for name in ("etc/os-release", "usr/lib/os-release"):
        if (root / name).is_file():
            return (root / name).read_text(encoding="utf-8")
    return ""
