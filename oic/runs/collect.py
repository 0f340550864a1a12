"""Runs the stage `oic.stages.collect`.

    file, URL, archive ─> store ─> what each package says of itself ─> a list for each repository

* A file with a sha256 in the recipe must have it. Another is taken as it is found: the build says so, and so does the
  evidence. Nobody's signature is checked.
* What came from a URL without a sha256 stays what it was, until `doit update`.
* Two files of one name, version and architecture must be the same. A file for another architecture is refused if the
  recipe names it, and left out of a directory or an archive.
"""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from oic.chroot import toolbox
from oic.errors import TrustError
from oic.handover.collected import Collected, CollectedPackage, CollectedRepository
from oic.ospackage.fetch import open_fetcher, redacted
from oic.ospackage.store import Store
from oic.progress import doing, note
from oic.provider import provider_of
from oic.provider.gathering import Gathered, Gathering
from oic.stages.collect import FileRepository, Slice, source_key
from oic.values import Bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from oic.config.repository import PackageFile
    from oic.provider.protocol import Provider
    from oic.stage import Stage
    from oic.values import Digest


def run(stage: Stage[Slice]) -> str:
    """Collect the files of each repository."""
    store = Store(stage.cache / "store")
    provider = provider_of(stage.slice.provider)
    with toolbox.workspace(stage.path("work/collect")) as work:
        gathering = Gathering(store=store, work=work, ending=f".{stage.slice.provider}")
        found = {entry.name: _collected(stage, entry, gathering, provider) for entry in stage.slice.repositories}
    stage.write(Collected(architecture=stage.slice.architecture, repositories=found))
    return f"{sum(len(entry.packages) for entry in found.values())} packages of package files"


def _collected(
    stage: Stage[Slice], repository: FileRepository, gathering: Gathering, provider: Provider
) -> CollectedRepository:
    packages: dict[tuple[str, str, str], CollectedPackage] = {}
    entries: dict[Digest, bytes] = {}
    others: Counter[str] = Counter()
    for file, blobs in _blobs_of(stage, repository, gathering):
        for blob in blobs:
            source = redacted(file.url) if file.url else file.name
            where = f"{source}: {blob.member}" if blob.member else source
            with gathering.store.path(blob.digest).open("rb") as opened:
                found = provider.describe(opened, blob.digest, blob.size, where=where)
            if not found.independent and found.architecture != stage.slice.architecture:
                if not (file.optional or blob.member):
                    message = f"expected a package for {stage.slice.architecture}, found {found}"
                    raise TrustError(message, where=where)
                others[found.architecture] += 1
                continue
            package = CollectedPackage(
                name=found.name,
                version=found.version,
                architecture=found.architecture,
                location=found.location,
                sha256=blob.digest,
                size=Bytes(blob.size),
                source=source,
                member=blob.member,
                origin=blob.origin,
                vouched=file.vouched,
            )
            _add(packages, package)
            entries[blob.digest] = found.entry
    _tell(repository.name, packages.values(), others, stage.slice.architecture)
    ordered = tuple(packages[key] for key in sorted(packages))
    listing = provider.listing([entries[package.sha256] for package in ordered])
    return CollectedRepository(listing=gathering.store.add(listing), listing_size=Bytes(len(listing)), packages=ordered)


def _blobs_of(
    stage: Stage[Slice], repository: FileRepository, gathering: Gathering
) -> Iterator[tuple[PackageFile, list[Gathered]]]:
    """Yield what of each file is in the store now; those that the last run downloaded are not downloaded again."""
    before = {} if stage.refetch else _before(stage, gathering.store)
    with contextlib.ExitStack() as opened:
        fetcher = None
        for file in repository.package_files:
            if not file.url:
                doing(f"reading {file.name}")
                yield file, gathering.from_host(file, stage.sources[source_key(repository.name, file)])
                continue
            known = before.get(redacted(file.url), [])
            if known and "?" not in file.url and file.sha256 in ("", known[0].origin):
                yield file, known
                continue
            fetcher = fetcher or opened.enter_context(open_fetcher(insecure=repository.insecure))
            doing(f"downloading {redacted(file.url)}")
            yield file, gathering.from_url(file, fetcher)


def _before(stage: Stage[Slice], store: Store) -> dict[str, list[Gathered]]:
    """Return what the last run had from each file or URL, if all of it is still in the store."""
    found: defaultdict[str, list[Gathered]] = defaultdict(list)
    with contextlib.suppress(OSError, ValueError):
        last = Collected.from_text(stage.place_of(Collected).read_text(encoding="utf-8"))
        for entry in last.repositories.values() if last.architecture == stage.slice.architecture else ():
            for one in entry.packages:
                blob = Gathered(digest=one.sha256, size=one.size, origin=one.origin, member=one.member)
                found[one.source].append(blob)
    return {source: blobs for source, blobs in found.items() if all(store.has(one.digest) for one in blobs)}


def _add(packages: dict[tuple[str, str, str], CollectedPackage], package: CollectedPackage) -> None:
    """Add a package; the same file may be there twice, and then counts as what the recipe has a sha256 of."""
    key = (package.name, package.version, package.architecture)
    other = packages.setdefault(key, package)
    if other.sha256 != package.sha256:
        message = f"expected one file of {' '.join(key)}, found two that differ: sha256 {other.sha256} in {other.file}"
        raise TrustError(f"{message}, {package.sha256}", where=package.file)
    if package.vouched:
        packages[key] = package


def _tell(name: str, packages: Collection[CollectedPackage], others: Counter[str], architecture: str) -> None:
    """Say what the packages are taken on, and which were left out; raises TrustError when none is left."""
    said = ", ".join(f"{count} for {other}" for other, count in sorted(others.items()))
    if not packages:
        raise TrustError(f"expected packages for {architecture} among its files, found {said}", where=name)
    if others:
        note(f"{name}: left out, as they are not for {architecture}: {said}")
    vouched = sum(package.vouched for package in packages)
    counts = [f"{vouched} by the sha256 that the recipe has of their files"] if vouched else []
    counts += [f"{len(packages) - vouched} as they were found"] if vouched < len(packages) else []
    note(f"{name}: nobody signed its package files; they are taken {' and '.join(counts)}")
