"""Package specs: how a recipe names packages, and which packages each spec selects, as with ``dnf install``.

openssh-server              a package, or one that obsoletes it
kernel-6.6.1-2.azl3         a version; also name-version and name-epoch:version-release, each with an optional .arch
python3-*                   every package whose name matches the glob: * ? [0-9]; globs may also occur in the version
                            or span name-version-release.arch; one in the architecture selects every architecture
name-1.2-3.x86_64.rpm       the name of a package's file
kernel@6.12                 the versions of a series (`oic.ospackage.series`); the name may have a version as above
/usr/bin/vim, perl(Foo)     a package that has the file or provides the capability, which may have a ``>= 1``

A spec can be read in several ways. The first one that selects a package counts, in dnf's order: the full form with and
without architecture, then the name alone, then forms with a version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oic.errors import SolveError
from oic.ospackage.globs import glob_matches
from oic.ospackage.near import near_hint
from oic.ospackage.series import SIGN, in_series, no_such_series
from oic.provider.rpm.packages import without_epoch
from oic.provider.rpm.version import split_evr, vercmp
from oic.values import parse_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from oic.provider.rpm.pool import Packages

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
class PackageSpec:
    """A spec and the packages that it selects; one of them must be installed."""

    spec: str
    packages: tuple[Any, ...]


def resolve_specs(packages: Packages, specs: Iterable[str]) -> tuple[list[PackageSpec], list[str]]:
    """Return the selected packages, for a glob once for each name, and a line for each spec that selects none."""
    found: list[PackageSpec] = []
    problems: list[str] = []
    for spec in specs:
        if SIGN in spec.lstrip(SIGN):
            name, _, series = spec.partition(SIGN)
            selected = _of_series(packages, spec, name, series)
            found += selected
            if not selected:
                problems.append(str(_no_series(packages, name, series)))
            continue
        selected = _resolve(packages, spec) or _resolve(packages, spec.removesuffix(".rpm"))
        found += selected
        if not selected:
            problems.append(str(_unknown(packages, spec)))
    return found, problems


def _of_series(packages: Packages, spec: str, name: str, series: str) -> list[PackageSpec]:
    """Return the packages of a name, a glob, or a name with a version, whose version is of the series."""
    groups, _ = _by_form(packages, name)
    fitting = ([one for one in group if in_series(without_epoch(one.evr), series)] for group in groups)
    return [PackageSpec(spec=spec, packages=tuple(group)) for group in fitting if group]


def _no_series(packages: Packages, name: str, series: str) -> SolveError:
    there = [one for group in _by_form(packages, name)[0] for one in group]
    versioned = _FORMS[4].fullmatch(name)
    if not there and versioned and versioned["name"] in packages.by_name:
        return _unknown(packages, name)
    return no_such_series(name, series, list(dict.fromkeys(f"{one.name} {without_epoch(one.evr)}" for one in there)))


def _by_form(packages: Packages, spec: str) -> tuple[list[list[Any]], Mapping[str, str | None]]:
    """Return the packages, grouped by name, that a spec names in the first form that names some, and its parts."""
    for form in _FORMS:
        match = form.fullmatch(spec)
        if match and (groups := _matching(packages, match.groupdict())):
            return groups, match.groupdict()
    return [], {}


def _resolve(packages: Packages, spec: str) -> list[PackageSpec]:
    names, parts = _by_form(packages, spec)
    if names:
        architectures = bool(_GLOB.search(parts.get("arch") or ""))
        if architectures:
            names = [entry for found in names for entry in _by_architecture(found)]
        if architectures or set(parts) == {"name"}:
            names = [[*entry, *_obsoleting(packages, entry)] for entry in names]
        return [PackageSpec(spec=spec, packages=tuple(entry)) for entry in names]
    if _GLOB.search(spec) and (names := _matching_whole(packages, spec)):
        return [PackageSpec(spec=spec, packages=tuple(entry)) for entry in names]
    if packages.is_bad(spec):
        return []
    providers = packages.providing(spec) or packages.having(spec)
    return [PackageSpec(spec=spec, packages=tuple(providers))] if providers else []


def _matching(packages: Packages, parts: Mapping[str, str | None]) -> list[list[Any]]:
    """Return the packages that match the parts of a spec, grouped by name."""
    name = parts["name"] or ""
    names = sorted(other for other in packages.by_name if glob_matches(other, name)) if _GLOB.search(name) else [name]
    fitting = ([package for package in packages.by_name.get(other, ()) if _fits(package, parts)] for other in names)
    return [entry for entry in fitting if entry]


def _matching_whole(packages: Packages, glob: str) -> list[list[Any]]:
    """Return the packages whose name-version-release.arch matches the glob, grouped by name."""

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
    """Yield further packages that obsolete one of these."""
    seen = {package.id for package in obsoleted}
    for package in obsoleted:
        for other in packages.replacing(package):
            if other.id not in seen:
                seen.add(other.id)
                yield other


def _unknown(packages: Packages, spec: str) -> SolveError:
    for form in _FORMS[3:]:
        match = form.fullmatch(spec)
        there = packages.by_name.get(match["name"], ()) if match else ()
        if match and there:
            asked = spec.removeprefix(f"{match['name']}-")
            evrs = (package.evr if ":" in asked else without_epoch(package.evr) for package in there)
            versions = ", ".join(dict.fromkeys(evrs))
            hint = packages.excluded(f"{match['name']} = {asked}") or None
            return SolveError(f"expected {match['name']} in version {asked}, found {versions}", hint=hint)
    if _GLOB.search(spec):
        return SolveError(f"no package's name matches {spec}", hint=near_hint(_GLOB.split(spec)[0], packages.by_name))
    if spec.startswith("/"):
        return SolveError(f"no package is known to have the file {spec}", hint="name the package that has it")
    hint = packages.excluded(spec) or near_hint(spec, packages.by_name)
    return SolveError(f"there is no package {spec}", hint=hint)
