"""The stages that choose, download and verify packages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import UNSET
from msgspec.structs import replace

from oic.config.disk import IMG, ISO
from oic.config.iso import installs
from oic.handover.collected import Collected
from oic.image.formats import DISK_FORMATS
from oic.image.fs import FILE_SYSTEMS
from oic.image.verity import VERITY
from oic.ospackage.lock import MEDIUM
from oic.ospackage.locked import AskedSet, Request
from oic.ospackage.series import SIGN
from oic.plan.boot import method_of
from oic.plan.tree import IMAGE, has_initramfs, has_kernel
from oic.stages import chroot, collect, download, metadata, solve, verify
from oic.values import digest_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from oic.config.model import FinalConfig
    from oic.config.repository import Repository
    from oic.handover.codec import Handover
    from oic.plan.maker import Maker
    from oic.stage import Stage


def package_stages(make: Maker) -> tuple[Stage[Any], ...]:
    """Return the stages from the metadata of repositories, or from the user's lock, to the build environment."""
    config = make.config
    family = config.distribution.provider
    collected = _collecting(make)
    made = (Collected,) if collected else ()
    return (
        *collected,
        *_solving(make, made),
        make.stage(download.KIND, _downloaded(config), reads=(*download.KIND.reads, *made)),
        make.stage(
            verify.KIND,
            verify.Slice(provider=family, repositories=_demands(config), kept=config.lock.name if config.lock else ""),
            reads=(*verify.KIND.reads, *made),
        ),
        make.stage(chroot.KIND, chroot.Slice(provider=family, set="tools")),
    )


def _collecting(make: Maker) -> tuple[Stage[Any], ...]:
    """Return the stage that brings the recipe's package files into the store, where it names some."""
    made = [entry for entry in _every(make.config) if entry.files]
    files = [
        (collect.source_key(entry.name, file), Path(file.path)) for entry in made for file in entry.files if file.path
    ]
    repositories = tuple(
        collect.FileRepository(
            name=entry.name,
            package_files=tuple(replace(file, path="") for file in entry.files),
            insecure=entry.insecure,
        )
        for entry in made
    )
    part = collect.Slice(
        provider=make.config.distribution.provider,
        architecture=make.config.distribution.architecture,
        repositories=repositories,
    )
    return (make.stage(collect.KIND, part, sources=dict(files)),) if made else ()


def _solving(make: Maker, made: tuple[type[Handover], ...]) -> tuple[Stage[Any], ...]:
    config = make.config
    family, kernel = config.distribution.provider, config.system.kernel
    ignored = kernel.version if config.distribution.kernel_version_ignored else ""
    asked = solve.Slice(
        provider=family,
        request=request_of(config),
        excluded=config.system.excluded_packages,
        ignored_series=ignored,
        kernels=kernel.packages if ignored else (),
    )
    if config.lock:
        return (make.stage(solve.KIND, replace(asked, repositories=_demands(config)), lock=config.lock),)
    fetched = metadata.Slice(
        provider=family, architecture=config.distribution.architecture, repositories=_fetched(config)
    )
    return (
        make.stage(metadata.KIND, fetched, reads=(*metadata.KIND.reads, *made)),
        make.stage(solve.KIND, asked),
    )


def request_of(config: FinalConfig) -> Request:
    """Return the request to the solver; a lock records the digest of the request that it satisfies."""
    medium = config.medium
    tools = (*config.distribution.tools, *_further_tools(config))
    further = "; ".join(_described(entry) for entry in _every(config) if entry.further or entry.of_recipe)
    return Request(
        architecture=config.distribution.architecture,
        recommends=config.system.recommends,
        sets={
            IMAGE: _asked_set(config, _names(config), config.repositories, essential=True),
            "tools": _asked_set(config, tools, config.distribution.tools_repositories, essential=False),
            **(
                {MEDIUM: _asked_set(config, _medium_names(config), medium.repositories, essential=True)}
                if medium
                else {}
            ),
        },
        repositories=further or UNSET,
    )


def _names(config: FinalConfig) -> Iterator[str]:
    """Yield the packages that a tree is asked to have."""
    yield from config.system.packages
    yield from _kernels(config)
    wanted = [*([method_of(config)] if has_initramfs(config) else []), *(["grow"] if config.disk.grows else [])]
    wanted += ["medium"] if config.target.image_type == IMG else []
    wanted += [VERITY] if config.read_only else []
    for word in wanted:
        yield from config.distribution.packages_for.get(word, ())


def _medium_names(config: FinalConfig) -> Iterator[str]:
    """Yield the packages of what an ISO boots; to install, it needs the tools of the file systems that may grow."""
    assert config.medium is not None
    assert config.iso is not None
    yield from _names(config.medium)
    for entry in config.disk.partitions if installs(config.iso) else ():
        if entry.fs_type in FILE_SYSTEMS and FILE_SYSTEMS[entry.fs_type].grows:
            yield from config.distribution.tools_for.get(FILE_SYSTEMS[entry.fs_type].tools, ())


def _kernels(config: FinalConfig) -> Iterator[str]:
    """Yield the kernel packages as the solver is asked for them: of the series that the recipe wants."""
    series = "" if config.distribution.kernel_version_ignored else config.system.kernel.version
    for name in config.system.kernel.packages if has_kernel(config) else ():
        yield f"{name}{SIGN}{series}" if series else name


def _described(entry: Repository) -> str:
    """Return a repository that the recipe adds, with everything that influences the solver."""
    if not entry.of_recipe:
        return entry.name
    words = [entry.name, entry.url, entry.suite, *entry.components, f"priority {entry.priority}"]
    words += [f"{len(entry.files)} package files {_digest(entry)[:16]}"] if entry.files else []
    words += [f"only {' '.join(entry.allow_packages)}"] if entry.allow_packages else []
    return " ".join(filter(None, words))


def _digest(entry: Repository) -> str:
    """Return a digest of the files that a repository is made of, wherever they are on this host."""
    return digest_of([(file.name, file.sha256) for file in entry.files])


def _asked_set(
    config: FinalConfig, names: Iterable[str], repositories: Collection[Repository], *, essential: bool
) -> AskedSet:
    """Return what a set is asked to hold; its repositories are named where another set has others."""
    allowed = tuple(entry.name for entry in repositories)
    every = {entry.name for entry in _every(config)}
    return AskedSet(
        names=tuple(dict.fromkeys(names)),
        essential=essential,
        repositories=UNSET if every == set(allowed) else allowed,
    )


def _further_tools(config: FinalConfig) -> Iterator[str]:
    """Yield the packages of the build environment that only some recipes need.

    What compresses comes together, so that another compression is no other build environment.
    """
    if any(artifact.compression or artifact.type == "tar" for artifact in config.artifacts):
        yield from config.distribution.tools_for.get("compression", ())
    if any(artifact.type in DISK_FORMATS for artifact in config.artifacts):
        yield from config.distribution.tools_for.get("conversion", ())
    yield from config.distribution.tools_for.get(method_of(config), ())
    yield from config.distribution.tools_for.get(VERITY, ()) if config.read_only else ()
    for word in (IMG, ISO):
        if config.target.image_type in {word, ISO}:
            yield from config.distribution.tools_for.get(word, ())
    for word in sorted({entry.fs_type for entry in config.disk.partitions} & {*FILE_SYSTEMS}):
        yield from config.distribution.tools_for.get(FILE_SYSTEMS[word].tools, ())


def _demands(config: FinalConfig) -> tuple[Repository, ...]:
    """Return the repositories that a lock is checked against, without the fields that influence the solver."""
    return tuple(
        replace(
            entry, image_key="", priority=0, allow_packages=(), further=False, of_recipe=False, files=(), insecure=False
        )
        for entry in _every(config)
    )


def _downloaded(config: FinalConfig) -> download.Slice:
    if not config.lock:
        return download.Slice()
    fetched = metadata.Slice(
        provider=config.distribution.provider,
        architecture=config.distribution.architecture,
        repositories=_demands(config),
    )
    return download.Slice(kept=fetched)


def _fetched(config: FinalConfig) -> tuple[Repository, ...]:
    """Return the repositories to fetch metadata from, without the digests of the host's keyrings: fetched metadata
    stays valid when a keyring changes.
    """
    return tuple(
        replace(
            entry,
            image_key="",
            of_host=False,
            further=False,
            files=(),
            insecure=False,
            whole=True if config.iso and config.iso.repository else UNSET,
            keys=tuple(replace(key, sha256="") for key in entry.keys),
        )
        for entry in _every(config)
    )


def _every(config: FinalConfig) -> Collection[Repository]:
    of_medium = config.medium.repositories if config.medium else ()
    every = (*config.repositories, *of_medium, *config.distribution.tools_repositories)
    return {one.name: one for one in every}.values()
