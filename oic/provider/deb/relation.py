"""Relations between Debian packages: ``libc6 (>= 2.36), default-mta | mail-transport-agent, python3:any``.

The syntax is deb-control(5)'s and Debian policy's section 7.1. Architecture lists in brackets are evaluated; build
profiles do not occur in binary packages and are refused.
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
    """One alternative: a package name, perhaps with a qualifier (``any``, an architecture) or a version constraint."""

    name: str
    qualifier: str = ""
    operator: str = ""
    version: str = ""

    def __str__(self) -> str:
        qualified = f"{self.name}:{self.qualifier}" if self.qualifier else self.name
        return f"{qualified} ({self.operator} {self.version})" if self.operator else qualified

    def admits(self, version: str) -> bool:
        """Tell whether a package or versioned provide of this `version` (empty: unversioned) is good enough."""
        if not self.operator:
            return True
        return bool(version) and satisfies(version, self.operator, self.version)


Clause = tuple[Relation, ...]
"""Alternatives, the preferred one first."""


def clause_text(clause: Clause) -> str:
    """Return the relation as Debian writes it."""
    return " | ".join(map(str, clause))


@functools.lru_cache(maxsize=1 << 16)
def parse_relations(text: str, architecture: str) -> tuple[Clause, ...]:
    """Return the clauses of a relationship field that hold on `architecture`; raises TrustError on another syntax."""
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
    if (listed := match["architectures"]) is not None and not _holds_on(listed.split(), architecture):
        return None
    operator = match["operator"] or ""
    return Relation(
        name=match["name"],
        qualifier=match["qualifier"] or "",
        operator=_OPERATORS.get(operator, operator),
        version=match["version"] or "",
    )


def _holds_on(listed: list[str], architecture: str) -> bool:
    names = {architecture, "any", "linux-any", f"any-{architecture}"}
    if listed and listed[0].startswith("!"):
        return not any(entry.removeprefix("!") in names for entry in listed)
    return any(entry in names for entry in listed)
