"""Which packages of a recipe its distribution does not have, and what to make in their place."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from standin.vendor import Made

from oic.errors import OicError
from oic.ospackage.http import HttpFetcher
from oic.ospackage.series import SIGN
from oic.ospackage.store import Store
from oic.ospackage.transport import extra_authority
from oic.plan.packages import request_of
from oic.provider import provider_of
from oic.provider.deb import solve as of_debs
from oic.provider.deb import specs as deb_specs
from oic.provider.deb.universe import Universe
from oic.provider.protocol import Previous
from oic.provider.rpm import solve as of_rpms
from oic.provider.rpm import specs as rpm_specs
from oic.provider.rpm.pool import Packages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from oic.config.model import FinalConfig
    from oic.ospackage.fetch import Fetcher
    from oic.provider.deb.packages import DebPackage

CLOUD_KERNEL = "linux-image-cloud-amd64"
"""Depends on the kernel that a made one is: small, and quick to boot."""
_GLOB = re.compile(r"\[[^\]]*\]|[*?]")
_DEB = re.compile(r"(?P<name>[^=_:\s@]+)(?::\w+)?(?:[=_](?P<version>[^_\s]+)(?:_\w+)?)?")
_RPM = re.compile(r"(?P<name>.+?)(?:-(?P<version>\d[^-@]*(?:-\d[^-@]*?)?)(?:\.(?:x86_64|noarch))?)?")
_DRIVERS = "-drivers-gpu"
"""How the names of packages end that the rpm family has for each kernel, and that need exactly it."""
_RPM_KERNEL = re.compile(r"kernel(?:-(?!drivers|devel|headers|modules|tools|docs|extra)[^-]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """Packages to make; `kernel` is the file of the distribution's own, where one of them is a kernel of debs."""

    packages: tuple[Made, ...]
    kernel: Path | None = None


def lacking_of(config: FinalConfig, place: Path) -> Lacking:
    """Return what the distribution does not have of a recipe's packages; raises OicError."""
    family, store = config.distribution.provider, Store(place / "store")
    own, architecture = config.distribution.tools_repositories, config.distribution.architecture
    specs = request_of(config).sets["image"].names
    with HttpFetcher(ca=extra_authority()) as fetcher:
        index = provider_of(family).read_metadata(own, architecture, fetcher, store, Previous()).index
        if family == "rpm":
            pool = Packages(list(of_rpms.sources_of(index, store).values()), architecture)
            lacking = [spec for spec in specs if rpm_specs.resolve_specs(pool, [spec])[1]]
            return Lacking(packages=_with_kernels(_made(lacking, _RPM, _RPM_KERNEL.fullmatch)))
        universe = Universe(list(of_debs.sources_of(index, store).values()), architecture)
        lacking = [spec for spec in specs if not _has(universe, spec)]
        packages = _made(lacking, _DEB, re.compile("linux-image").match)
        kernel = None
        if any(package.kernel for package in packages):
            urls = {entry.name: entry.url for entry in index.repositories}
            kernel = _fetched(_own_kernel(universe), urls, fetcher, place)
        return Lacking(packages=packages, kernel=kernel)


def _has(universe: Universe, spec: str) -> bool:
    try:
        deb_specs.resolve_specs(universe, [spec])
    except OicError as error:
        return "virtual package" in str(error)
    return True


def _made(specs: list[str], form: re.Pattern[str], is_kernel: Callable[[str], object]) -> tuple[Made, ...]:
    """Return a package for each spec: of the series or version that it asks for, which may be a glob."""
    made = {}
    for spec in specs:
        name, _, series = spec.partition(SIGN)
        match = form.fullmatch(name.removesuffix(".deb").removesuffix(".rpm"))
        assert match, spec
        version = _GLOB.sub("0", match["version"] or series or "1.0")
        name = _GLOB.sub("", match["name"])
        made[name] = Made(name=name, version=version, kernel=bool(series and is_kernel(name)))
    return tuple(made.values())


def _with_kernels(packages: tuple[Made, ...]) -> tuple[Made, ...]:
    """Return the packages with the kernels that made drivers are for, as no other kernel has the version."""
    found: dict[str, Made] = {}
    for package in packages:
        kernel = package.name.removesuffix(_DRIVERS)
        if kernel != package.name:
            found[kernel] = Made(name=kernel, version=package.version, kernel=True)
            found[package.name] = replace(package, requires=(f"{kernel} = {package.version}",))
        else:
            found.setdefault(package.name, package)
    return tuple(found.values())


def _own_kernel(universe: Universe) -> DebPackage:
    meta = universe.candidate(CLOUD_KERNEL)
    assert meta, CLOUD_KERNEL
    kernel = universe.candidate(meta.depends[0][0].name)
    assert kernel, meta
    return kernel


def _fetched(package: DebPackage, urls: dict[str, str], fetcher: Fetcher, place: Path) -> Path:
    url = f"{urls[package.repository]}/{package.location}"
    body = fetcher.fetch(url, limit=package.size).body
    assert body, url
    file = place / "kernel.deb"
    file.write_bytes(body)
    return file
