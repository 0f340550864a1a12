"""The list of the stand-in's packages, ``packages/*.yml``: the name in the rpm family, and its content.

    name:
      deb: pattern        repackage this Debian package (of the closure, fnmatch); without it, the package is generated
      also: [deb]         Debian packages that this one replaces: it provides their names, but not their files
      version: "3.0"      default: 3.0 for a generated package, else Debian's
      release: "1"        without the distribution's tag; default: 1 if the version is not Debian's, else Debian's
      noarch: true        for a generated package
      only, without: [glob]   the part of the Debian package that is included
      requires, provides, conflicts, obsoletes: [relation]   in addition to those of Debian's control file
      needs: {pre or post or …: [name]}   the packages that this scriptlet needs
      files: {path: text or {text, mode, owner}}   added or replaced files; below /etc they are configuration
      links: {path: target}, directories: {path: mode}
      attributes: {path: mode owner group}
      capabilities: {path: capabilities}
      ghosts: {path: mode}
      edits: {path: [[regular expression, replacement]]}
      moves: {path: path}     within the package
      bundles: {path: {of: glob, each: text}}   the concatenation of all these files, with `each` before each
      alone: true             without Debian's relations
      spec: |             scriptlets and triggers, as in a spec file; the file ``macros`` defines the macros
      why: text           for an empty package: what is missing
      distributions: [dist]   only in these; "name@dist" distinguishes two packages with the same name

A Debian package of the closure that no entry names is repackaged under its own name, once for all distributions.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LISTS = Path(__file__).parent / "packages"
KEYS = Path(__file__).parent / "keys"
CONTENT = Path(__file__).parent / "content"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """A package of the stand-in; the module's docstring explains the fields."""

    name: str
    deb: str = ""
    also: tuple[str, ...] = ()
    version: str = ""
    release: str = ""
    noarch: bool = False
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    obsoletes: tuple[str, ...] = ()
    needs: Mapping[str, list[str]] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    directories: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    capabilities: Mapping[str, str] = field(default_factory=dict)
    ghosts: Mapping[str, str] = field(default_factory=dict)
    edits: Mapping[str, list[tuple[str, str]]] = field(default_factory=dict)
    moves: Mapping[str, str] = field(default_factory=dict)
    bundles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    alone: bool = False
    spec: str = ""
    why: str = ""
    distributions: tuple[str, ...] = ()
    dist: str = ""
    """The distribution that the package is built for; empty if it is built once for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All packages: entries, and Debian packages that keep their own names."""

    entries: tuple[Entry, ...]
    plain: tuple[str, ...]

    def roots(self) -> list[str]:
        """Return the Debian packages to solve for."""
        # A pattern is for a package whose name contains a version; a plain package depends on it.
        named = [entry.deb for entry in self.entries if entry.deb and "*" not in entry.deb]
        return sorted({*self.plain, *named})

    def complete(self, debs: Collection[str], dist: str) -> list[Entry]:
        """Return all entries of a distribution with resolved patterns, and one for each other Debian package."""
        ours = [entry for entry in self.entries if not entry.distributions or dist in entry.distributions]
        resolved = [_resolved(entry, debs) for entry in ours]
        taken = {entry.deb for entry in resolved} | {name for entry in resolved for name in entry.also}
        rest = (Entry(name=name, deb=name) for name in sorted(debs) if name not in taken)
        return [*(replace(entry, dist=dist) for entry in resolved), *rest]


def read_catalogue() -> Catalogue:
    """Read all lists; a file's text can be ``@key:NAME``, a public key, or ``@file:NAME``, a file in `CONTENT`."""
    entries: list[Entry] = []
    plain: list[str] = []
    for path in sorted(LISTS.glob("*.yml")):
        data = yaml.safe_load(path.read_text())
        plain += data.pop("plain", [])
        entries += [_entry(name, fields or {}) for name, fields in data.items()]
    return Catalogue(entries=tuple(entries), plain=tuple(plain))


def _entry(name: str, fields: dict[str, Any]) -> Entry:
    if isinstance(fields, str):  # the most common case: only another name
        fields = {"deb": fields}
    tidy: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
    files = {path: _text(value) for path, value in fields.get("files", {}).items()}
    return Entry(**{**tidy, "name": name.partition("@")[0], "files": files})


def _text(value: Any) -> Any:
    if isinstance(value, dict):
        return {**value, "text": _text(value["text"])}
    kind, _, name = value.partition(":")
    if kind == "@key":
        return (KEYS / f"{name}.pub.asc").read_text()
    return (CONTENT / name).read_text() if kind == "@file" else value


def _resolved(entry: Entry, debs: Collection[str]) -> Entry:
    """Return the entry with its pattern resolved to a name; ``@UNAME@`` becomes the kernel version in that name."""
    if not entry.deb:
        return entry
    (name,) = fnmatch.filter(debs, entry.deb)
    fields = {key: _with_uname(getattr(entry, key), name.removeprefix("linux-image-")) for key in Entry.__slots__}
    return Entry(**{**fields, "deb": name})


def _with_uname(value: Any, uname: str) -> Any:
    if isinstance(value, str):
        return value.replace("@UNAME@", uname)
    if isinstance(value, dict):
        return {_with_uname(key, uname): _with_uname(below, uname) for key, below in value.items()}
    return value
