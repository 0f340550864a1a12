"""Packages brought into the store: concurrently, resumed, retried, and verified before any has a final name.

* Size and sha256 come from the signed index; a file that differs never gets a final name.
* A bad package stops no other: all that can be had is fetched and kept, then one error names every failure.
* A full disk, or a mirror that fails package after package, does stop the rest: it would only fail more slowly.
* An interrupt leaves nothing but partial files, and the next run goes on from them.
* What is in the store already is looked at for existence and size only: it was hashed when it came in, and the verify
  stage hashes every package again before anything of it is used.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from oic.errors import FetchError, OicError, TrustError
from oic.ospackage.fetch import CHANGED, Fetcher, NotFound, WrongSize, redacted
from oic.process.host import disk_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from oic.ospackage.store import Store
    from oic.progress import Bar
    from oic.values import Digest

JOBS = 6
UNREACHABLE = 5
"""So many packages in a row that no mirror would give: the mirror is down, not a package bad."""

SUPERSEDED = "superseded on the mirror: run doit update image=…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A package to have: what it must be, where it may be, and what to call it in messages."""

    digest: Digest
    size: int
    urls: tuple[str, ...]
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """How many packages were fetched and how many were there, and the bytes that came over the network."""

    fetched: int
    reused: int
    bytes: int


class PackageFetcher(Fetcher, Protocol):
    """A fetcher that another thread may end."""

    def close(self) -> None:
        """End what is under way with a FetchError, and everything asked for later."""


def download_packages(
    wanted: Sequence[Wanted],
    store: Store,
    fetcher_factory: Callable[[], PackageFetcher],
    progress: Callable[[str, int, int], AbstractContextManager[Bar]],
    *,
    jobs: int = JOBS,
) -> Downloaded:
    """Bring every wanted package into the store; raises TrustError, FetchError or OicError naming all that failed."""
    packages = {package.digest: package for package in wanted}
    missing = [package for package in packages.values() if not _is_there(package, store)]
    reused = len(packages) - len(missing)
    if not missing:
        return Downloaded(fetched=0, reused=reused, bytes=0)
    with progress("download", sum(package.size for package in missing), len(missing)) as bar:
        work = _Work(missing, store, bar)
        work.run(fetcher_factory, min(jobs, len(missing)))
    if work.failures:
        raise _one_error(work.failures, len(packages), work.untried())
    return Downloaded(fetched=len(missing) - work.others, reused=reused + work.others, bytes=work.bytes)


def _is_there(package: Wanted, store: Store) -> bool:
    path = store.path(package.digest)
    with disk_errors(path), contextlib.suppress(FileNotFoundError):
        return path.stat().st_size == package.size
    return False


def _size(partial: Path) -> int:
    return partial.stat().st_size if partial.exists() else 0


class _Work:
    """The packages still missing, shared by the threads that fetch them."""

    def __init__(self, missing: Sequence[Wanted], store: Store, bar: Bar) -> None:
        self.failures: dict[str, OicError] = {}
        self.bytes = 0
        self.others = 0
        self._store = store
        self._bar = bar
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._bug: BaseException | None = None
        self._queue: queue.SimpleQueue[Wanted] = queue.SimpleQueue()
        self._stop = threading.Event()
        for package in sorted(missing, key=lambda package: -package.size):  # the longest first: no straggler at the end
            self._queue.put(package)

    def run(self, fetcher_factory: Callable[[], PackageFetcher], jobs: int) -> None:
        """Fetch everything; on an interrupt end all threads, then let it go on."""
        with contextlib.ExitStack() as fetchers:
            made = [fetchers.enter_context(contextlib.closing(fetcher_factory())) for _ in range(jobs)]
            # daemons: a thread stuck in a name look-up must not hold up the end of the program
            threads = [threading.Thread(target=self._fetch_all, args=(fetcher,), daemon=True) for fetcher in made]
            for thread in threads:
                thread.start()
            try:
                for thread in threads:
                    thread.join()
            except BaseException:
                self._end(made, threads)
                raise
        if self._bug is not None:
            raise self._bug

    def untried(self) -> int:
        """Return how many packages nobody tried to fetch."""
        return self._queue.qsize()

    def _end(self, fetchers: Sequence[PackageFetcher], threads: Sequence[threading.Thread]) -> None:
        self._stop.set()
        for fetcher in fetchers:
            fetcher.close()
        for thread in threads:
            thread.join(timeout=2)

    def _fetch_all(self, fetcher: PackageFetcher) -> None:
        with contextlib.suppress(queue.Empty):
            while not self._stop.is_set():
                package = self._queue.get_nowait()
                try:
                    self._fetch(package, fetcher)
                except OicError as failure:
                    self._failed(package, failure)
                except BaseException as bug:  # noqa: BLE001 - raised again in the main thread
                    self._bug = bug
                    self._stop.set()
                else:
                    self._in_a_row = 0
                    self._bar.done(package.label)

    def _failed(self, package: Wanted, failure: OicError) -> None:
        with self._lock:
            self.failures[package.label] = failure
            gone = isinstance(failure, TrustError | NotFound)
            self._in_a_row = 0 if gone else self._in_a_row + 1
            if self._in_a_row >= UNREACHABLE or not isinstance(failure, FetchError | TrustError):
                self._stop.set()

    def _fetch(self, package: Wanted, fetcher: PackageFetcher) -> None:
        """Bring one package in, from the first mirror that gives it; raises the failure that says most."""
        with self._store.partial(package.digest) as partial:
            if _is_there(package, self._store):  # another build was faster
                with self._lock:
                    self.others += 1
                self._bar.advance(package.size)
                return
            self._bar.advance(_size(partial))
            failures = []
            for url in package.urls:
                try:
                    self._fetch_from(url, package, partial, fetcher)
                except (FetchError, TrustError) as failure:
                    failures.append(failure)
                else:
                    return
        raise next((failure for failure in failures if isinstance(failure, TrustError)), failures[0])

    def _fetch_from(self, url: str, package: Wanted, partial: Path, fetcher: PackageFetcher) -> None:
        resumed = _size(partial)
        try:
            self._obtain(url, package, partial, fetcher)
        except TrustError:
            if not resumed:
                raise
            self._obtain(url, package, partial, fetcher)  # what was there may have been the bad part: from nothing

    def _obtain(self, url: str, package: Wanted, partial: Path, fetcher: PackageFetcher) -> None:
        """Fetch and adopt; what turns out to be another file is deleted."""
        try:
            with disk_errors(partial):
                fetcher.fetch_file(url, partial, size=package.size, report=self._report)
        except NotFound as error:
            raise NotFound(error.message, where=error.where, hint=SUPERSEDED) from error
        except WrongSize as error:
            self._bar.advance(-_size(partial))
            partial.unlink(missing_ok=True)
            raise TrustError(error.message, where=error.where, hint=CHANGED) from error
        try:
            self._store.adopt(partial, package.digest, package.size)
        except TrustError as error:
            self._bar.advance(-package.size)
            raise TrustError(error.message, where=redacted(url), hint=CHANGED) from error

    def _report(self, count: int) -> None:
        self._bar.advance(count)
        with self._lock:
            self.bytes += max(count, 0)


def _one_error(failures: dict[str, OicError], total: int, untried: int) -> OicError:
    """Return one error of the gravest kind that names every failure, one a line; the disk's is the same for all."""
    found = failures.values()
    rest = f", {untried} not tried" if untried else ""
    count = f"{len(failures)} of {total} packages could not be downloaded{rest}"
    disk = next((failure for failure in found if not isinstance(failure, TrustError | FetchError)), None)
    if disk is not None:
        return OicError(f"{count}: {disk.message}", where=disk.where, hint=disk.hint)
    kind: type[OicError] = TrustError if any(isinstance(failure, TrustError) for failure in found) else FetchError
    lines = [f"{label}: {failure}" for label, failure in sorted(failures.items())]
    if len(lines) > 1 or untried:
        lines.insert(0, count)
    return kind("\n".join(lines))
