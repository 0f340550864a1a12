"""Relations between Debian packages: ``libc6 (>= 2.36), default-mta | mail-transport-agent, python3:any``.

The syntax is that of deb-control(5) and of Debian policy, section 7.1. Architecture lists in brackets are evaluated.
Build profiles do not occur in binary packages and are refused.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from oic.errors import TrustError
from oic.provider.deb.version import satisfies

_RELATION = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9+._-]*)(?::(?P<qualifier>[a-z0-9][a-z0-9-]*))?"
    r"\s*(?:\(\s*(?P<operator><<|<=|=|>=|>>|<|>)\s*(?P<version>[A-Za-z0-9.+:~-]+)\s*\))?"
    r"\s*(?:\[(?P<architectures>[^\]]*)\])?"
)
# A lone < or > is the obsolete spelling of <= and >= (deb-control(5)).
_OPERATORS = {"<": "<=", ">": ">="}


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """One alternative: a package name and an optional qualifier (``any``, an architecture) or version constraint."""

    name: str
    qualifier: str = ""
    operator: str = ""
    version: str = ""

    def __str__(self) -> str:
        qualified = f"{self.name}:{self.qualifier}" if self.qualifier else self.name
        return f"{qualified} ({self.operator} {self.version})" if self.operator else qualified

    def admits(self, version: str) -> bool:
        """Tell whether `version` satisfies the constraint; an empty one is that of an unversioned provide."""
        if not self.operator:
            return True
        return bool(version) and satisfies(version, self.operator, self.version)


Clause = tuple[Relation, ...]
"""The alternatives of one dependency, the preferred one first."""


def clause_text(clause: Clause) -> str:
    """Return the relation as Debian writes it."""
    return " | ".join(map(str, clause))


@functools.lru_cache(maxsize=1 << 16)
def parse_relations(text: str, architecture: str) -> tuple[Clause, ...]:
    """Return the clauses of a relationship field that apply to `architecture`; raises TrustError for wrong syntax."""
    clauses = []
    for part in text.split(","):
        if part.strip():
            relations = (_parse_relation(alternative, architecture) for alternative in part.split("|"))
            if clause := tuple(relation for relation in relations if relation is not None):
                clauses.append(clause)
    return tuple(clauses)


@functools.lru_cache(maxsize=1 << 16)
def _parse_relation(text: str, architecture: str) -> Relation | None:
    match = _RELATION.fullmatch(text.strip())
    if not match:
        raise TrustError(f"expected a package relation, found {text.strip()[:80]!r}")
    if (listed := match["architectures"]) is not None and not _applies_to(listed.split(), architecture):
        return None
    operator = match["operator"] or ""
    return Relation(
        name=match["name"],
        qualifier=match["qualifier"] or "",
        operator=_OPERATORS.get(operator, operator),
        version=match["version"] or "",
    )


def _applies_to(listed: list[str], architecture: str) -> bool:
    names = {architecture, "any", "linux-any", f"any-{architecture}"}
    if listed and listed[0].startswith("!"):
        return not any(entry.removeprefix("!") in names for entry in listed)
    return any(entry in names for entry in listed)
