"""The kernel of an image: the newest one of a tree that has both an image and modules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.errors import OicError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A kernel: its release (``uname -r``), the path of its image in the tree, and the tree's os-release(5)."""

    version: str
    path: str
    os_release: str


def newest(root: Path) -> tuple[Kernel, bytes]:
    """Return the newest kernel of a tree and its image; raises OicError for none. Runs with the tree as its root."""
    modules = root / "usr/lib/modules"
    versions = [path.name for path in modules.iterdir()] if modules.is_dir() else []
    for version in sorted(versions, key=_natural, reverse=True):
        for path in (f"boot/vmlinuz-{version}", f"usr/lib/modules/{version}/vmlinuz"):
            if (root / path).is_file():
                kernel = Kernel(version=version, path=path, os_release=_os_release(root))
                return kernel, (root / path).read_bytes()
    raise OicError(
        "expected a kernel (boot/vmlinuz-VERSION and its modules) among the image's packages, found none",
        hint="name one in systemConfig.kernel.packages",
    )


def _natural(version: str) -> list[tuple[int, str]]:
    return [(int(word), "") if word.isdigit() else (-1, word) for word in re.findall(r"\d+|[^\d]+", version)]


def _os_release(root: Path) -> str:
    for name in ("etc/os-release", "usr/lib/os-release"):
        if (root / name).is_file():
            return (root / name).read_text(encoding="utf-8")
    return ""
