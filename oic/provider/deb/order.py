"""The order in which dpkg unpacks and configures packages: the same as apt's, where it makes a difference.

System users and groups get their ids in the order in which packages are configured. As with apt, most packages are
configured by one ``dpkg --configure -a`` at the end; this module decides what happens before that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oic.ospackage.lock import LockedPackage, Requirement

_PRIORITIES = ("required", "important", "standard", "optional", "extra")


def steps(
    packages: Sequence[LockedPackage], priorities: Mapping[str, str], ordered: set[str]
) -> list[tuple[str, list[str]]]:
    """Return pairs of ``--unpack`` or ``--configure`` and package names; the packages in `ordered` are unpacked.

    Before a package is unpacked, its Pre-Depends and everything these need are configured (Debian policy 7.2).
    Packages with Pre-Depends come first, sorted by importance and then by name, as apt does (pkgOrderList::Score). The
    others keep their order in the lock.
    """
    requires = {package.name: package.requires for package in packages}
    place = {name: index for index, name in enumerate(requires)}
    found: list[tuple[str, list[str]]] = []
    seen: set[str] = set()
    configured: set[str] = set()

    def visit(name: str) -> None:
        if name in seen:
            return
        seen.add(name)
        first = sorted(_closure(_before(requires[name]), requires), key=place.__getitem__)
        for other in first:
            visit(other)
        fresh = [other for other in first if other not in configured]
        if fresh:
            found.append(("--configure", fresh))
            configured.update(fresh)
        if name in ordered:
            if not found or found[-1][0] == "--configure":
                found.append(("--unpack", []))
            found[-1][1].append(name)

    for package in sorted(packages, key=lambda package: _urgency(package, priorities.get(package.name, ""))):
        visit(package.name)
    return found


def _before(requires: Sequence[Requirement]) -> list[str]:
    return [need.package for need in requires if need.kind == "Pre-Depends"]


def _urgency(package: LockedPackage, priority: str) -> tuple[int, str]:
    if not _before(package.requires):
        return (len(_PRIORITIES) + 1, "")
    return (_PRIORITIES.index(priority) if priority in _PRIORITIES else len(_PRIORITIES), package.name)


def _closure(names: Sequence[str], requires: Mapping[str, Sequence[Requirement]]) -> set[str]:
    """Return those of `names` that are installed in this run, and all that they need."""
    todo = list(names)
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name in requires and name not in found:
            found.add(name)
            todo += [need.package for need in requires[name]]
    return found
