"""Package specs: how a recipe names packages, and which packages each spec selects.

openssh-server              a package, or a virtual package that only one package provides (as with apt)
openssh-server=1:9.2p1-2    this version; also name_version; the version may contain globs
linux-image-6.1.*           every package whose name matches the glob: * ? [0-9]
openssh-server:amd64        with the architecture; only the image's architecture is allowed
name_1.2-3_amd64.deb        the name of a package's file, with or without the ending; it has no epoch
linux-image-amd64@6.12      the best version of a series (`oic.ospackage.series`); the name may have a version as above
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.errors import SolveError
from oic.ospackage.globs import glob_matches
from oic.ospackage.near import near_hint
from oic.ospackage.series import SIGN, in_series, no_such_series
from oic.provider.deb.relation import Relation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oic.provider.deb.packages import DebPackage
    from oic.provider.deb.universe import Universe

_GLOB = re.compile(r"[*?\[]")
_FILE = re.compile(r"(?P<name>[^=_:\s]+)_(?P<version>[^_\s]+)_(?P<architecture>[a-z0-9-]+)(?:\.deb)?")
_SPEC = re.compile(r"(?P<name>[^=_:\s]+)(?::(?P<architecture>[a-z0-9-]+))?(?:[=_](?P<version>\S+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """The requested packages: the specs of each name, and the package of each name with a fixed version."""

    specs: dict[str, tuple[str, ...]]
    pins: dict[str, DebPackage]


def resolve_specs(universe: Universe, specs: Iterable[str]) -> Requested:
    """Return the packages that the specs select; raises SolveError with a line for each spec that selects none."""
    named: dict[str, tuple[str, ...]] = {}
    pins: dict[str, DebPackage] = {}
    problems = []
    for spec in specs:
        try:
            packages, pinned = _resolve(universe, spec)
            for package in packages:
                if pinned:
                    _pin(pins, package, spec)
                named[package.name] = (*named.get(package.name, ()), spec)
        except SolveError as error:
            problems.append(str(error))
    if problems:
        raise SolveError("\n".join(problems))
    return Requested(specs=named, pins=pins)


def _resolve(universe: Universe, spec: str) -> tuple[list[DebPackage], bool]:
    if SIGN in spec:
        return _of_series(universe, *spec.split(SIGN, 1)), True
    if match := _FILE.fullmatch(spec):
        return [_of_file(universe, spec, match)], True
    match = _SPEC.fullmatch(spec)
    if not match:
        raise SolveError(f"expected a package name, name=version or a glob, found {spec!r}")
    if match["architecture"] not in (None, "any", "all", "native", universe.architecture):
        raise SolveError(f"{spec}: expected packages for {universe.architecture}, found {match['architecture']}")
    name, version = match["name"], match["version"]
    if _GLOB.search(name):
        return _matching(universe, name, version), version is not None
    if version is not None:
        return [_pinned(universe, name, version)], True
    return [universe.candidate(name) or _only_provider(universe, name)], False


def _of_series(universe: Universe, name: str, series: str) -> list[DebPackage]:
    """Return the best package of a series for each name that a spec selects; one with a version has to be of it."""
    match = _SPEC.fullmatch(name)
    if _FILE.fullmatch(name) or (match and match["version"]):
        packages, _ = _resolve(universe, name)
        if strange := [str(package) for package in packages if not in_series(package.version, series)]:
            raise no_such_series(name, series, strange)
        return packages
    names = sorted(one for one in universe.names() if glob_matches(one, name)) if _GLOB.search(name) else [name]
    versions = [package for one in names for package in universe.versions(one)]
    best: dict[str, DebPackage] = {}
    for package in versions:
        if in_series(package.version, series):
            best.setdefault(package.name, package)
    if not best:
        raise no_such_series(name, series, [str(package) for package in versions])
    return list(best.values())


def _of_file(universe: Universe, spec: str, match: re.Match[str]) -> DebPackage:
    """Return the package that a file name is of."""
    versions = universe.versions(match["name"])
    wanted = match["version"].replace("%3a", ":")
    for package in versions:
        without_epoch = package.version.partition(":")[2] or package.version
        if wanted in (package.version, without_epoch) and package.architecture == match["architecture"]:
            return package
    there = ", ".join(f"{package.version} {package.architecture}" for package in versions)
    if not there:
        raise SolveError(f"there is no package {match['name']}", hint=near_hint(match["name"], universe.names()))
    raise SolveError(f"expected the package of {spec}, found {there}")


def _pin(pins: dict[str, DebPackage], package: DebPackage, spec: str) -> None:
    other = pins.setdefault(package.name, package)
    if other is not package:
        raise SolveError(f"{spec} asks for {package.name} {package.version}, another entry asks for {other.version}")


def _matching(universe: Universe, glob: str, version: str | None) -> list[DebPackage]:
    names = sorted(name for name in universe.names() if glob_matches(name, glob))
    if version is not None:
        versions = (
            (package for package in universe.versions(name) if glob_matches(package.version, version)) for name in names
        )
        found = [next(matching, None) for matching in versions]
    else:
        found = [universe.candidate(name) for name in names]
    packages = [package for package in found if package]
    if not packages:
        stem = _GLOB.split(glob)[0]
        raise SolveError(f"no package's name matches {glob}", hint=near_hint(stem, universe.names()))
    return packages


def _pinned(universe: Universe, name: str, version: str) -> DebPackage:
    versions = universe.versions(name)
    if not versions:
        raise SolveError(f"there is no package {name}", hint=near_hint(name, universe.names()))
    for package in versions:
        if package.version == version or glob_matches(package.version, version):
            return package
    there = ", ".join(package.version for package in versions)
    raise SolveError(f"expected {name} in version {version}, found {there}")


def _only_provider(universe: Universe, name: str) -> DebPackage:
    providers = universe.satisfying(Relation(name=name))
    if not providers:
        raise SolveError(f"there is no package {name}", hint=near_hint(name, universe.names()))
    if len(providers) > 1:
        names = ", ".join(sorted(package.name for package in providers))
        raise SolveError(f"{name} is a virtual package, provided by {names}", hint="name one of them")
    return providers[0]
