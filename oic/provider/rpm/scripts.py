"""Read rpm's output: scriptlets that failed, packages that rpm refused; and identify a running scriptlet.

rpm exits 0 although a ``%post`` failed. The failure is only a line in its output (rpm's lib/rpmscript.c, untranslated
in the C locale)::

    warning: %post(name-1.0-1.noarch) scriptlet failed, exit status 1
    error: lua script failed: [string "%post(name-1.0-1.noarch)"]:1: ...
    error: invalid syntax in lua scriptlet: [string "%post(a-name-longer-than-lua-shows-1.0-1..."]:1: ...
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.provider.rpm.tags import Tag

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oic.provider.rpm.header import Header

_FAILED = re.compile(
    r"(?:error|warning): (?:"
    r"(?P<what>%\w+\(\S+?\)) scriptlet failed, (?P<how>.+)"
    r"|Couldn't create temporary file for (?P<unwritten>%\w+\(\S+?\)): (?P<why>.+)"
    r'|(?:lua script failed|invalid syntax in lua script(?:let)?): (?:\[string "(?P<lua>[^"]+)"\]:)?(?P<where>.+))$',
    re.MULTILINE,
)
"""Not anchored to the start of a line: the scriptlet may have written text without a line break before it."""

_REFUSED = re.compile(
    r"^error: unpacking of archive failed(?: on file (?P<file>.+?)(?:;[0-9a-f]{8})?)?: (?:cpio: )?(?P<why>.+)\n"
    r"error: (?P<package>\S+): install failed$"
    r"|^\t(?P<clash>file .+ conflicts (?:between|with) .+|.+ (?:is needed by|conflicts with|is obsoleted by) .+)$"
    r"|^error: (?P<other>(?!.*: install (?:failed|skipped)$|Failed dependencies:$).+)$",
    re.MULTILINE,
)

_SPACE = re.compile(r"^\tinstalling package .+ needs (\S+ more (?:space|inodes)) on the \S+ filesystem$", re.MULTILINE)
"""rpm adds up what packages need: the line of the last one has the sum."""

_MISSING = re.compile(r"^warning: (user|group) (\S+) does not exist - using root$", re.MULTILINE)

ENDING = ("%prein", "%pretrans", "%preun", "%triggerprein")
"""The scriptlets whose failure makes rpm skip the package."""
_MAX_BEFORE, _MAX_LINES, _MAX_LINE = 1 << 14, 4, 200
_TEMPORARY = re.compile(r"rpm-tmp\.\w{6}")
"""The file of a running scriptlet; its name is random."""

_SCRIPTS = {
    "%pretrans": Tag.PRETRANS,
    "%pre": Tag.PREIN,
    "%post": Tag.POSTIN,
    "%posttrans": Tag.POSTTRANS,
    "%trigger": 1065,
    "%filetrigger": 5066,
    "%transfiletrigger": 5076,
}
"""The tags of the scriptlets that an installation runs, by their names in spec files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A scriptlet that failed: `named` as in rpm's output, with `package` and `phase` if these are known."""

    named: str
    package: str
    phase: str
    how: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return f"scriptlet {self.named} failed: {self.how}"


def failures_in(text: str, packages: Mapping[str, str]) -> list[Failure]:
    """Return each scriptlet that failed according to rpm's output, how it failed, and the last lines before that.

    `packages` maps name, version and release, as in rpm's output, to names.
    """
    found, after = [], 0
    for match in _FAILED.finditer(text):
        named = match["what"] or match["unwritten"] or match["lua"] or "in lua"
        phase, _, whose = named.rstrip(")").partition("(")
        found.append(
            Failure(
                named=named,
                package="" if match["unwritten"] else _package_of(whose, packages),
                phase=phase,
                how=(match["how"] or match["why"] or match["where"]).strip(),
                lines=_lines_before(text[after : match.start()], packages),
            )
        )
        after = match.end()
    return found


def _package_of(whose: str, packages: Mapping[str, str]) -> str:
    """Return the package for name-version-release and an optional architecture; lua cuts off long ones."""
    begun = whose.removesuffix("...") if whose.endswith("...") else None
    names = {name for full, name in packages.items() if whose == full or whose.startswith(f"{full}.")}
    names |= {name for full, name in packages.items() if begun and full.startswith(begun)}
    return names.pop() if len(names) == 1 else ""


def _lines_before(text: str, packages: Mapping[str, str]) -> tuple[str, ...]:
    """Return the last lines that are not from rpm itself, which prints each package's name when it begins with it."""
    lines: list[str] = []
    for line in reversed(text[-_MAX_BEFORE:].splitlines()):
        own = line.rpartition(".")[0] in packages or line in packages or line.startswith(("warning: ", "error: "))
        if own or len(lines) == _MAX_LINES:
            break
        if line.strip():
            lines.append(_TEMPORARY.sub("rpm-tmp", line.strip())[:_MAX_LINE])
    return tuple(reversed(lines))


def refusals_in(text: str) -> list[str]:
    """Return rpm's reasons for not installing packages."""
    return [
        found["clash"]
        or found["other"]
        or f"{found['package']}: {found['file'] or 'its payload'} cannot be unpacked: {found['why']}"
        for found in _REFUSED.finditer(text)
    ]


def space_needed_in(text: str) -> str:
    """Return how much more space rpm needs, such as ``12MB more space``; empty when it does not say so."""
    found = _SPACE.findall(text)
    return found[-1] if found else ""


def missing_owners_in(text: str) -> list[str]:
    """Return each user and group that rpm did not find and replaced by root."""
    return sorted({f"{found[1]} {found[2]}" for found in _MISSING.finditer(text)})


def script_in(header: Header, text: str) -> str:
    """Return the name of the package's scriptlet with this `text` (rpm keeps it in a file while it runs)."""
    for word, tag in _SCRIPTS.items():
        if any(body.strip() and body.strip() in text for body in header.strings(tag)):
            return f"{word}({header.string(Tag.NAME)})"
    return ""


def texts_of(header: Header) -> dict[str, str]:
    """Return the text of each kind of scriptlet in a package, by its name in spec files."""
    return {word: "\n".join(bodies) for word, tag in _SCRIPTS.items() if (bodies := header.strings(tag))}
