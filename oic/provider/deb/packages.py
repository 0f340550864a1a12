"""Read a Packages index.

* Adding a file only records where each stanza is. A stanza is parsed when its package is asked for: an index has sixty
  thousand packages, and an image needs hundreds of them.
* The text is signed, but may still be malformed: then a TrustError names the package.

The fields are those of deb-control(5) and those that the archive adds (Filename, Size, SHA256).
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.deb822 import fields_of, places_of
from oic.errors import TrustError
from oic.provider.deb.relation import Clause, Relation, parse_relations
from oic.values import Bytes, Digest

if TYPE_CHECKING:
    from collections.abc import Iterator

# Debian policy 2.5. An unknown or missing priority counts as the lowest.
PRIORITIES = {"required": 1, "important": 2, "standard": 3, "optional": 4, "extra": 5}

_PACKAGE = re.compile(rb"^Package[ \t]*:[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE)
_NAMING = re.compile(
    rb"^(?:Package|Pre-Depends|Depends|Recommends|Suggests|Enhances|Conflicts|Breaks|Replaces|Provides):(.*)$",
    re.MULTILINE,
)
_BEFORE = (b" ", b",", b"|")
_AFTER = (b" ", b",", b"|", b"(", b"\n", b"")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]*")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+:~-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DebPackage:
    """One binary package of one repository. `provides` are relations without operator or with ``=``."""

    name: str
    version: str
    architecture: str
    multi_arch: str
    essential: bool
    protected: bool
    priority: int
    pre_depends: tuple[Clause, ...]
    depends: tuple[Clause, ...]
    recommends: tuple[Clause, ...]
    conflicts: tuple[Clause, ...]
    breaks: tuple[Clause, ...]
    provides: tuple[Relation, ...]
    repository: str
    location: str
    size: Bytes
    sha256: Digest

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class PackagesIndex:
    """The packages of one or more Packages files of one repository, for one architecture.

    `names` has the name of each package, `provided` the names of the packages whose Provides mentions a virtual name.
    """

    def __init__(self, repository: str, architecture: str) -> None:
        self.repository = repository
        self.architecture = architecture
        self.names: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        self.provided: defaultdict[str, set[str]] = defaultdict(set)
        self.essential: set[str] = set()
        self._data = b""
        self._naming = b""

    def add(self, data: bytes) -> None:
        """Add a Packages file; raises TrustError."""
        start = len(self._data)
        self._data += data
        for begin, end in places_of(self._data, start):
            self._note(self._data[begin:end], begin)

    def packages(self, name: str) -> Iterator[DebPackage]:
        """Yield each version of `name` for this architecture, parsed; raises TrustError."""
        for start, end in self.names.get(name, ()):
            package = parse_package(self._data[start:end], self.repository, self.architecture)
            if package.architecture in (self.architecture, "all"):
                yield package

    def mention(self, name: str) -> int | None:
        """Return where the name first occurs in a Package or relationship field, as a number to compare."""
        if not self._naming:
            self._naming = b"\n".join(_NAMING.findall(self._data))
        place = self._naming.find(wanted := name.encode())
        while place >= 0:
            after = place + len(wanted)
            if self._naming[place - 1 : place] in _BEFORE and self._naming[after : after + 1] in _AFTER:
                return place
            place = self._naming.find(wanted, after)
        return None

    def _note(self, stanza: bytes, start: int) -> None:
        if not stanza.strip():
            return
        found = _PACKAGE.findall(stanza)
        if len(found) != 1:
            several = " and ".join(ascii(one.decode("ascii", "replace")) for one in found[:2])
            words = several or repr(stanza[:60])
            raise TrustError(f"expected a stanza with one Package field, found {words}", where=self.repository)
        name = found[0].decode("ascii", "replace")
        self.names[name].append((start, start + len(stanza)))
        if b"\nEssential: yes" in stanza:
            self.essential.add(name)
        if b"\nProvides:" in stanza:
            fields = fields_of(stanza.decode("utf-8", "replace"), where=f"{self.repository}: {name}")
            for provide in fields.get("provides", "").split(","):
                self.provided[provide.partition("(")[0].strip().partition(":")[0]].add(name)


def is_package(name: str, version: str, architecture: str) -> bool:
    """Tell whether name, version and architecture are valid in a control file (Debian policy 5.6)."""
    return bool(_NAME.fullmatch(name) and _VERSION.fullmatch(version) and _NAME.fullmatch(architecture))


def parse_package(stanza: bytes, repository: str, architecture: str) -> DebPackage:
    """Return the package of a stanza; raises TrustError with its name when a field is missing or malformed."""
    name = _PACKAGE.search(stanza)
    where = f"{repository}: {name[1].decode('utf-8', 'replace') if name else '?'}"
    try:
        fields = fields_of(stanza.decode("utf-8", "replace"))
        return DebPackage(
            name=_matching(_NAME, fields, "package"),
            version=_matching(_VERSION, fields, "version"),
            architecture=_matching(_NAME, fields, "architecture"),
            multi_arch=fields.get("multi-arch", "no"),
            essential=fields.get("essential") == "yes",
            protected=fields.get("protected") == "yes" or fields.get("important") == "yes",
            priority=PRIORITIES.get(fields.get("priority", ""), max(PRIORITIES.values())),
            pre_depends=parse_relations(fields.get("pre-depends", ""), architecture),
            depends=parse_relations(fields.get("depends", ""), architecture),
            recommends=parse_relations(fields.get("recommends", ""), architecture),
            conflicts=parse_relations(fields.get("conflicts", ""), architecture),
            breaks=parse_relations(fields.get("breaks", ""), architecture),
            provides=tuple(clause[0] for clause in parse_relations(fields.get("provides", ""), architecture)),
            repository=repository,
            location=_location(fields),
            size=_size(fields),
            sha256=Digest(_matching(_SHA256, fields, "sha256")),
        )
    except TrustError as error:
        raise TrustError(error.message, where=where) from None


def _matching(pattern: re.Pattern[str], fields: dict[str, str], name: str) -> str:
    value = fields.get(name, "")
    if not pattern.fullmatch(value):
        raise TrustError(f"expected a valid {name.title()} field, found {value[:80]!r}")
    return value


def _size(fields: dict[str, str]) -> Bytes:
    value = _matching(re.compile(r"[0-9]{1,15}"), fields, "size")
    return Bytes(int(value))


def _location(fields: dict[str, str]) -> str:
    """Return Filename. It becomes part of a URL or a path, so it must not lead out of the repository."""
    value = fields.get("filename", "")
    parts = value.removeprefix("./").split("/")
    if not value or ".." in parts or "" in parts or not value.isprintable():
        raise TrustError(f"expected a Filename below the repository, found {value[:120]!r}")
    return value.removeprefix("./")
