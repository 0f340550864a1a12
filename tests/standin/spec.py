"""Generates the text of a spec file. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .payload import Item

MACRO_FILE = Path(__file__).with_name("macros")
"""The macros that scriptlets may use."""

COMPRESSIONS = ("w3.zstdio", "w6.gzdio", "w3.zstdio", "w2.xzdio")
"""Payload compressions that the packages use in turn: all that the family has used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """The content of a spec file; `relations` are whole lines, ``Requires: …``; `dist` may be empty."""

    name: str
    dist: str
    epoch: str
    version: str
    release: str
    noarch: bool
    summary: str
    description: str
    compression: str
    relations: Sequence[str]
    items: Iterable[Item]
    scriptlets: str


def spec_text(spec: Spec, tree: str) -> str:
    """Return the text of the spec file, whose %install moves the tree that is already written."""
    head = [
        f"%{{load:{MACRO_FILE}}}",
        f"%define _binary_payload {spec.compression}",
        f"Name: {spec.name}",
        *([f"Epoch: {spec.epoch}"] if spec.epoch else []),
        f"Version: {spec.version}",
        f"Release: {spec.release}" + (f".{spec.dist}" if spec.dist else ""),
        f"Summary: {spec.summary}",
        "License: as its copyright file says",
        "Vendor: a stand-in, made for tests",
        *(["BuildArch: noarch"] if spec.noarch else []),
        "AutoReqProv: no",
        *spec.relations,
        "%description",
        spec.description,
        "%install",
        f'rm -rf "%{{buildroot}}" && mv "{tree}" "%{{buildroot}}"',
    ]
    return "\n".join([*head, spec.scriptlets, "%files", *map(file_line, spec.items), ""])


def file_line(item: Item) -> str:
    """Return an item's line in %files."""
    mode = "-" if item.kind == "link" else f"{item.mode:04o}"
    words = [f"%attr({mode}, {item.owner}, {item.group})"]
    if item.kind == "directory":
        words.append("%dir")
    if item.kind == "ghost":
        words.append("%ghost")
    if item.configuration and item.kind == "file":
        words.append("%config(noreplace)")
    if item.capabilities:
        words.append(f"%caps({item.capabilities})")
    if item.path.startswith("usr/share/doc/") and item.kind == "file":
        words.append("%doc")
    return f'{" ".join(words)} "/{_escaped(item.path)}"'


def _escaped(path: str) -> str:
    """Return a path that rpmbuild does not expand; single brackets are no pattern, and no package has others."""
    return path.replace("%", "%%")
