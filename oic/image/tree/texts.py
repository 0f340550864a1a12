"""Writes configuration files into a tree. Every function runs with the tree as its root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.image.tree import network

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MODES = {"/etc/sudoers.d/": 0o440, "/etc/machine-id": 0o444, network.NETPLAN_FILE: 0o600}
"""Of the files written here, by how their names begin; 0644 of the others."""


def write_extras(root: Path, texts: Mapping[str, str]) -> None:
    """Write files of programs that the image may lack; without the program, the directory is missing as well."""
    write(root, {name: text for name, text in texts.items() if (root / name[1:]).parent.is_dir()})


def write(root: Path, texts: Mapping[str, str]) -> None:
    """Write each text at its path, in place of what is there."""
    for name, text in texts.items():
        path = root / name[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")  # files of packages need not be UTF-8
        path.chmod(next((mode for start, mode in _MODES.items() if name.startswith(start)), 0o644))
