"""The host's own mirrors of a deb distribution, read from its apt sources.

Formats: sources.list(5), one-line and deb822. An entry counts when

* it is enabled, of type ``deb``, with an http(s) URI (or a ``mirror+file:`` list of such) and the component ``main``;
* its suite is one of the distribution's (``bookworm``, ``bookworm-updates``, ``stable``…; ``bookworm-security`` and
  ``bookworm/updates`` are the security mirror's);
* its ``Signed-By``, if it has one, names one of the distribution's own key files. Other vendors sign with their own.

Of several, an entry with the distribution's ``Signed-By`` comes first, then the one that was written first.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import field

from oic.deb822 import fields_of, stanzas_of
from oic.errors import TrustError
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_SECURITY = ("-security", "/updates")
_MAIN = ("", "-updates", "-proposed-updates", "-backports")
_ONE_LINE = r"deb\s+(?:\[(?P<options>[^\]]*)\]\s*)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>[^#]+)"


class Mirrors(Value):
    """Base URLs without a slash at the end; None where the host has no such source."""

    main: str | None
    security: str | None


class _Source(Value):
    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: tuple[str, ...] = field(default=())


def read_mirrors(suites: Collection[str], keys: Collection[str], root: Path = Path("/")) -> Mirrors:
    """Return the mirrors that the apt sources below `root` name for a distribution of these suites and key files."""
    ours = [source for source in _read_sources(root) if _is_ours(source, keys)]
    ours.sort(key=lambda source: not source.signed_by)  # stable: signed ones first, then as written
    return Mirrors(main=_first(ours, suites, _MAIN, root), security=_first(ours, suites, _SECURITY, root))


def _is_ours(source: _Source, keys: Collection[str]) -> bool:
    names = {Path(key).name for key in keys}
    signed = not source.signed_by or any(Path(key).name in names for key in source.signed_by)
    return signed and "main" in source.components


def _first(sources: list[_Source], suites: Collection[str], endings: tuple[str, ...], root: Path) -> str | None:
    wanted = {suite + ending for suite in suites for ending in endings}
    for source in sources:
        if wanted.intersection(source.suites):
            for uri in source.uris:
                url = _url(uri, root)
                if url:
                    return url.rstrip("/")
    return None


def _url(uri: str, root: Path) -> str | None:
    """Return the URL itself, or the first in the file of a ``mirror+file:`` URI (apt-transport-mirror(1))."""
    if uri.startswith(("http://", "https://")):
        return uri
    if uri.startswith("mirror+file:"):
        lines = _text(root / uri.removeprefix("mirror+file:").lstrip("/")).splitlines()
        return next((line.split()[0] for line in lines if line.startswith(("http://", "https://"))), None)
    return None


def _read_sources(root: Path) -> Iterator[_Source]:
    folder = root / "etc/apt/sources.list.d"
    yield from _one_line(_text(root / "etc/apt/sources.list"))
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if path.suffix == ".list":
            yield from _one_line(_text(path))
        elif path.suffix == ".sources":
            yield from _deb822(_text(path))


def _text(path: Path) -> str:
    """Return a file's text, empty when it cannot be read: another source may do."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):  # ValueError: a name with a zero byte
        return ""


def _one_line(text: str) -> Iterator[_Source]:
    for line in text.splitlines():
        match = re.match(_ONE_LINE, line.strip())
        if match:
            options = dict(option.split("=", 1) for option in (match["options"] or "").split() if "=" in option)
            yield _Source(
                uris=(match["uri"],),
                suites=(match["suite"],),
                components=tuple(match["components"].split()),
                signed_by=tuple(filter(None, options.get("signed-by", "").split(","))),
            )


def _deb822(text: str) -> Iterator[_Source]:
    for stanza in stanzas_of(text):
        try:
            fields = {name: tuple(value.split()) for name, value in fields_of(stanza).items()}
        except TrustError:
            continue  # apt refuses it too; another source may do
        if "deb" in fields.get("types", ()) and "no" not in fields.get("enabled", ()):
            yield _Source(
                uris=fields.get("uris", ()),
                suites=fields.get("suites", ()),
                components=fields.get("components", ()),
                signed_by=fields.get("signed-by", ()),
            )
