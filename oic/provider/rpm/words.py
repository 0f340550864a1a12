"""The words of a recipe that name packages, and the packages they mean: as ``dnf install`` reads them.

openssh-server              a package, or one that obsoletes it
kernel-6.6.1-2.azl3         a version; also name-version, name-epoch:version-release, each with .arch behind it
python3-*                   every package whose name the glob matches: * ? [0-9]; a version may hold one, or all of
                            name-version-release.arch; with one for the architecture, each of them is wanted
/usr/bin/vim, perl(Foo)     whatever package has the file, or provides the capability, with ``>= 1`` behind it or not

Of the ways to read a word the first counts that means a package, in dnf's order: the whole, with and without
architecture, before the name alone, before a version split off.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oic.errors import SolveError
from oic.ospackage.globs import glob_matches
from oic.ospackage.near import near_hint
from oic.provider.rpm.pool import Packages, without_epoch
from oic.provider.rpm.version import split_evr, vercmp
from oic.values import parse_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_GLOB = re.compile(r"[*?\[]")
_EVR = r"(?:(?P<epoch>[0-9]+):)?(?P<version>[^-:]+)"
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"(?P<name>.+)-{_EVR}-(?P<release>[^-:]+)\.(?P<arch>[^.]+)",
        r"(?P<name>.+)\.(?P<arch>[^.]+)",
        r"(?P<name>.+)",
        rf"(?P<name>.+)-{_EVR}-(?P<release>[^-:]+)",
        rf"(?P<name>.+)-{_EVR}",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A word, and the packages of which it wants one."""

    word: str
    packages: tuple[Any, ...]


def wanted(packages: Packages, words: Iterable[str]) -> tuple[list[Wanted], list[str]]:
    """Return what the words mean, a glob once for each name, and a line for each word that means nothing."""
    found: list[Wanted] = []
    problems: list[str] = []
    for word in words:
        meant = _meant(packages, word)
        found += meant
        if not meant:
            problems.append(str(_unknown(packages, word)))
    return found, problems


def _meant(packages: Packages, word: str) -> list[Wanted]:
    for form in _FORMS:
        match = form.fullmatch(word)
        if match and (names := _matching(packages, match.groupdict())):
            architectures = bool(_GLOB.search(match.groupdict().get("arch") or ""))
            if architectures:
                names = [entry for found in names for entry in _by_architecture(found)]
            if architectures or set(match.groupdict()) == {"name"}:
                names = [[*entry, *_obsoleting(packages, entry)] for entry in names]
            return [Wanted(word=word, packages=tuple(entry)) for entry in names]
    if _GLOB.search(word) and (names := _matching_whole(packages, word)):
        return [Wanted(word=word, packages=tuple(entry)) for entry in names]
    if packages.is_bad(word):
        return []
    providers = packages.providing(word) or packages.having(word)
    return [Wanted(word=word, packages=tuple(providers))] if providers else []


def _matching(packages: Packages, parts: Mapping[str, str | None]) -> list[list[Any]]:
    """Return the packages that fit the parts of a word, those of one name together."""
    name = parts["name"] or ""
    names = sorted(other for other in packages.by_name if glob_matches(other, name)) if _GLOB.search(name) else [name]
    fitting = ([package for package in packages.by_name.get(other, ()) if _fits(package, parts)] for other in names)
    return [entry for entry in fitting if entry]


def _matching_whole(packages: Packages, glob: str) -> list[list[Any]]:
    """Return the packages whose name, version and architecture in one the glob matches, those of one name together."""

    def fits(package: Any) -> bool:
        evr = package.evr if ":" in package.evr else f"0:{package.evr}"
        return glob_matches(f"{package.name}-{evr if ':' in glob else without_epoch(evr)}.{package.arch}", glob)

    fitting = (list(filter(fits, packages.by_name[name])) for name in sorted(packages.by_name))
    return [entry for entry in fitting if entry]


def _by_architecture(found: Sequence[Any]) -> list[list[Any]]:
    architectures = dict.fromkeys(package.arch for package in found)
    return [[package for package in found if package.arch == architecture] for architecture in architectures]


def _fits(package: Any, parts: Mapping[str, str | None]) -> bool:
    epoch, version, release = split_evr(package.evr)
    asked = parts.get("epoch")
    return (
        (asked is None or parse_number(asked) == epoch)
        and _is_version(version, parts.get("version"))
        and _is_version(release, parts.get("release"))
        and glob_matches(package.arch, parts.get("arch") or "*")
    )


def _is_version(version: str, asked: str | None) -> bool:
    if asked is None:
        return True
    return glob_matches(version, asked) if _GLOB.search(asked) else not vercmp(version, asked)


def _obsoleting(packages: Packages, obsoleted: Sequence[Any]) -> Iterator[Any]:
    """Yield further packages that say they replace one of these."""
    seen = {package.id for package in obsoleted}
    for package in obsoleted:
        for other in packages.replacing(package):
            if other.id not in seen:
                seen.add(other.id)
                yield other


def _unknown(packages: Packages, word: str) -> SolveError:
    for form in _FORMS[3:]:
        match = form.fullmatch(word)
        there = packages.by_name.get(match["name"], ()) if match else ()
        if match and there:
            asked = word.removeprefix(f"{match['name']}-")
            evrs = (package.evr if ":" in asked else without_epoch(package.evr) for package in there)
            versions = ", ".join(dict.fromkeys(evrs))
            hint = packages.left_out(f"{match['name']} = {asked}") or None
            return SolveError(f"expected {match['name']} in version {asked}, found {versions}", hint=hint)
    if _GLOB.search(word):
        return SolveError(f"no package's name matches {word}", hint=near_hint(_GLOB.split(word)[0], packages.by_name))
    if word.startswith("/"):
        return SolveError(f"no package is known to have the file {word}", hint="name the package that has it")
    hint = packages.left_out(word) or near_hint(word, packages.by_name)
    return SolveError(f"there is no package {word}", hint=hint)
