"""One of the host's own rpm repositories, read from the files of its dnf (or tdnf).

Formats: ``*.repo`` in dnf.conf(5), variables in dnf.conf(5) "VARIABLES".

* A repository counts when it is enabled (which it is unless it says otherwise) and its id is one of those asked for.
* Of several base URLs the first http(s) or file one counts. A ``metalink`` is not understood: a repository that has
  nothing else is refused, not passed over.
* Variables are returned, not replaced: ``$basearch`` and ``$releasever`` are the target's, not the host's.
"""

from __future__ import annotations

import configparser
import re
from typing import TYPE_CHECKING

from oic.errors import RecipeError
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

_PLACES = ("etc/yum.repos.d", "etc/distro.repos.d")
_VARIABLES = ("etc/yum/vars", "etc/dnf/vars")
_FALSE = frozenset({"0", "no", "false", "off"})
_SCHEMES = ("http://", "https://", "file://")


class HostRepository(Value):
    """A repository as the host has it, variables not replaced; `url` is empty when only a `mirror_list` is known."""

    file: str
    url: str
    mirror_list: str
    keys: tuple[str, ...]
    variables: dict[str, str]


def read_repository(ids: Collection[str], root: Path) -> HostRepository | None:
    """Return the first enabled repository of one of these ids below `root`; raises RecipeError for one of no use."""
    for path, name, section in _sections(root):
        if name in ids and section.get("enabled", "1").strip().lower() not in _FALSE:
            return _repository(path, name, section, _variables(root))
    return None


def _repository(path: Path, name: str, section: configparser.SectionProxy, variables: dict[str, str]) -> HostRepository:
    urls = [url for url in _words(section.get("baseurl", "")) if url.startswith(_SCHEMES)]
    lists = [url for url in _words(section.get("mirrorlist", "")) if url.startswith(_SCHEMES)]
    if not urls and not lists:
        raise RecipeError(
            f"expected a baseurl or mirrorlist of the repository {name}, found neither",
            where=str(path),
            hint="give target.mirror: a base URL",
        )
    return HostRepository(
        file=str(path),
        url=urls[0].rstrip("/") if urls else "",
        mirror_list="" if urls else lists[0],
        keys=tuple(_words(section.get("gpgkey", ""))),
        variables=variables,
    )


def _words(text: str) -> list[str]:
    """Return the items of a list option: separated by white space or commas."""
    return [word for word in re.split(r"[\s,]+", text) if word]


def _sections(root: Path) -> Iterator[tuple[Path, str, configparser.SectionProxy]]:
    for place in _PLACES:
        folder = root / place
        for path in sorted(folder.glob("*.repo")) if folder.is_dir() else ():
            parser = configparser.ConfigParser(interpolation=None, strict=False, default_section="")
            try:
                parser.read_string(path.read_text(encoding="utf-8", errors="replace"))
            except (OSError, configparser.Error):
                continue  # another file may do, as with dnf
            for name in parser.sections():
                yield path, name, parser[name]


def _variables(root: Path) -> dict[str, str]:
    found = {}
    for place in _VARIABLES:
        folder = root / place
        for path in sorted(folder.glob("*")) if folder.is_dir() else ():
            try:
                found[path.name] = (path.read_text(encoding="utf-8", errors="replace").splitlines() or [""])[0].strip()
            except OSError:
                continue  # a URL that needs it will say so
    return found
