"""Translates Debian's relations and versions for rpm. Pure.

* A Debian package or virtual name ``n`` is the capability ``deb(n)``; alternatives become a rich dependency.
* rpm does not allow hyphens in a version, and compares releases only if both sides have one. So ``>> 1.2`` without a
  revision becomes ``>=``; otherwise the same upstream version with a revision would not match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from oic.provider.deb.relation import Clause, Relation

_OPERATORS = {"<<": "<", "<=": "<=", "=": "=", ">=": ">=", ">>": ">"}


def evr(version: str) -> tuple[str, str, str]:
    """Return epoch (perhaps empty), version and release (perhaps empty) of a Debian version."""
    epoch, colon, rest = version.rpartition(":")
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
    return epoch if colon and epoch != "0" else "", upstream.replace("-", "."), revision


def evr_text(version: str, *, release: str = "") -> str:
    """Return ``[epoch:]version[-release]``; `release` is used if Debian has no revision."""
    epoch, upstream, revision = evr(version)
    revision = revision or release
    return (f"{epoch}:" if epoch else "") + upstream + (f"-{revision}" if revision else "")


def capability(relation: Relation) -> str:
    """Return the capability of one alternative of a relation."""
    if not relation.operator:
        return f"deb({relation.name})"
    operator = _OPERATORS[relation.operator]
    if relation.operator == ">>" and not evr(relation.version)[2]:
        operator = ">="
    # an exact version is that of a package, whose provided capability has this release
    release = "0" if relation.operator == "=" else ""
    return f"deb({relation.name}) {operator} {evr_text(relation.version, release=release)}"


def requirement(clause: Clause, left_out: Collection[str]) -> str:
    """Return a clause as a requirement; empty if one of its alternatives is left out on purpose."""
    if any(relation.name in left_out for relation in clause):
        return ""
    if len(clause) == 1:
        return capability(clause[0])
    return "(" + " or ".join(map(capability, clause)) + ")"
