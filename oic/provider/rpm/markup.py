"""Read XML from the network by expat, without document types and entities and to a limited depth.

Repository metadata need no DOCTYPE. Every way to make a small document expand, or to include other files, needs one
(XML 1.0, sections 2.8 and 4). The depth of rich dependencies is limited too, because libsolv, which reads them next,
would exhaust its stack.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat

from oic.errors import TrustError
from oic.provider.rpm.rich import check_nesting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAX_DEPTH = 32
_PIECE = 2**20
_BETWEEN = "}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """An element: its name as ``namespace}name``, attributes, the text before its first child, and its children."""

    name: str
    attributes: Mapping[str, str]
    text: list[str] = field(default_factory=list)
    children: list[Element] = field(default_factory=list)

    def all(self, name: str) -> Iterator[Element]:
        """Yield the children of this name, in any namespace."""
        return (child for child in self.children if child.name.rpartition(_BETWEEN)[2] == name)

    def first(self, name: str) -> Element | None:
        """Return the first child of this name, or None."""
        return next(self.all(name), None)

    def text_of(self, name: str) -> str:
        """Return the stripped text of the first child of this name; empty without one."""
        child = self.first(name)
        return "".join(child.text).strip() if child else ""


def refuse_markup(document: bytes, *, root: str, where: str) -> None:
    """Raise TrustError for a document that is malformed, too deep, or has a document type or another root element."""
    _Reader(where, expected=root).read(document)


def parse_markup(document: bytes, *, where: str) -> Element:
    """Return the root of a small document; raises TrustError as `refuse_markup` does."""
    reader = _Reader(where)
    reader.read(document)
    return reader.root.children[0]


class _Reader:
    """Reads one document. With an `expected` root, it only checks; without one, it keeps the elements."""

    def __init__(self, where: str, *, expected: str = "") -> None:
        self.root = Element(name="", attributes={})
        self._where = where
        self._expected = expected
        self._depth = 0
        self._open = [self.root]
        self._parser = expat.ParserCreate(namespace_separator=_BETWEEN)
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.EntityDeclHandler = self._refuse
        self._parser.StartElementHandler = self._start_first if expected else self._start_kept
        self._parser.EndElementHandler = self._end if expected else self._end_kept
        if not expected:
            self._parser.CharacterDataHandler = self._text

    def read(self, document: bytes) -> None:
        try:
            # In pieces, so that an error at the start ends the reading early.
            for start in range(0, len(document), _PIECE):
                self._parser.Parse(document[start : start + _PIECE], False)
            self._parser.Parse(b"", True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise TrustError(f"expected XML, found damage: {error}", where=self._where) from None

    def _refuse(self, name: str, *_: object) -> None:
        raise TrustError(f"expected plain XML, found a document type or entity ({name[:40]!r})", where=self._where)

    def _start_first(self, name: str, attributes: Mapping[str, str]) -> None:
        found = name.rpartition(_BETWEEN)[2]
        if found != self._expected:
            raise TrustError(f"expected <{self._expected}>, found <{found[:40]}>", where=self._where)
        self._parser.StartElementHandler = self._start
        self._start(name, attributes)

    def _start(self, _name: str, attributes: Mapping[str, str]) -> None:
        if "name" in attributes and attributes["name"].startswith("("):
            check_nesting(attributes["name"], where=self._where)
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise TrustError(f"expected XML at most {_MAX_DEPTH} elements deep, found more", where=self._where)

    def _end(self, _name: str) -> None:
        self._depth -= 1

    def _start_kept(self, name: str, attributes: Mapping[str, str]) -> None:
        self._start(name, attributes)
        element = Element(name=name, attributes=attributes)
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end_kept(self, name: str) -> None:
        self._end(name)
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].text.append(text)
