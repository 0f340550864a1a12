"""Downloads packages into the store, concurrently, with resuming and retries.

* Size and sha256 come from the signed index; a file that differs never gets its final name.
* A bad package does not stop the others: everything available is downloaded, then one error names all failures.
* A full disk, or a mirror that fails for several packages in a row, stops the rest, which would fail as well.
* An interrupted run leaves only partial files, from which the next run resumes.
* For packages already in the store, only existence and size are checked: they were hashed when they were stored, and
  the verify stage hashes every package again before it is used.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING, Protocol

from oic.errors import FetchError, OicError, TrustError
from oic.ospackage.fetch import CHANGED, Fetcher, NotFound, WrongSize, redacted
from oic.process.host import disk_errors
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from oic.bars import Bar
    from oic.ospackage.store import Store
    from oic.values import Digest

JOBS = 6
MAX_FAILURES_IN_A_ROW = 5
"""After so many failed packages in a row, the mirror is assumed to be down."""

SUPERSEDED = "superseded on the mirror: run doit update image=…"


class DownloadItem(Value):
    """A package to download: its digest and size, its possible URLs, and its name in messages."""

    digest: Digest
    size: int
    urls: tuple[str, ...]
    label: str


class Downloaded(Value):
    """The number of downloaded packages and of those already in the store, and the bytes received."""

    fetched: int
    reused: int
    bytes: int


class PackageFetcher(Fetcher, Protocol):
    """A fetcher that another thread may stop."""

    def close(self) -> None:
        """Make current and later downloads raise FetchError."""


def download_packages(
    wanted: Sequence[DownloadItem],
    store: Store,
    fetcher_factory: Callable[[], PackageFetcher],
    progress: Callable[[str, int, int], AbstractContextManager[Bar]],
    *,
    jobs: int = JOBS,
) -> Downloaded:
    """Download the items into the store; raises TrustError, FetchError or OicError that names all failures."""
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
    return Downloaded(fetched=len(missing) - work.already_stored, reused=reused + work.already_stored, bytes=work.bytes)


def _is_there(package: DownloadItem, store: Store) -> bool:
    path = store.path(package.digest)
    with disk_errors(path), contextlib.suppress(FileNotFoundError):
        return path.stat().st_size == package.size
    return False


def _size(partial: Path) -> int:
    return partial.stat().st_size if partial.exists() else 0


class _Work:
    """The missing packages, shared by the threads that download them."""

    def __init__(self, missing: Sequence[DownloadItem], store: Store, bar: Bar) -> None:
        self.failures: dict[str, OicError] = {}
        self.bytes = 0
        self.already_stored = 0
        self._store = store
        self._bar = bar
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._bug: BaseException | None = None
        self._queue: queue.SimpleQueue[DownloadItem] = queue.SimpleQueue()
        self._stop = threading.Event()
        for package in sorted(missing, key=lambda package: -package.size):  # the largest first
            self._queue.put(package)

    def run(self, fetcher_factory: Callable[[], PackageFetcher], jobs: int) -> None:
        """Download everything; an interrupt stops all threads and is raised again."""
        with contextlib.ExitStack() as fetchers:
            opened = [fetchers.enter_context(contextlib.closing(fetcher_factory())) for _ in range(jobs)]
            # daemons: a thread that hangs in a name lookup must not keep the program from exiting
            threads = [threading.Thread(target=self._fetch_all, args=(fetcher,), daemon=True) for fetcher in opened]
            for thread in threads:
                thread.start()
            try:
                for thread in threads:
                    thread.join()
            except BaseException:
                self._stop_all(opened, threads)
                raise
        if self._bug is not None:
            raise self._bug

    def untried(self) -> int:
        """Return the number of packages that were not tried."""
        return self._queue.qsize()

    def _stop_all(self, fetchers: Sequence[PackageFetcher], threads: Sequence[threading.Thread]) -> None:
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

    def _failed(self, package: DownloadItem, failure: OicError) -> None:
        with self._lock:
            self.failures[package.label] = failure
            gone = isinstance(failure, TrustError | NotFound)
            self._in_a_row = 0 if gone else self._in_a_row + 1
            if self._in_a_row >= MAX_FAILURES_IN_A_ROW or not isinstance(failure, FetchError | TrustError):
                self._stop.set()

    def _fetch(self, package: DownloadItem, fetcher: PackageFetcher) -> None:
        """Download a package from the first mirror that has it; raises the most informative failure."""
        with self._store.partial(package.digest) as partial:
            if _is_there(package, self._store):  # another build has downloaded it meanwhile
                with self._lock:
                    self.already_stored += 1
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

    def _fetch_from(self, url: str, package: DownloadItem, partial: Path, fetcher: PackageFetcher) -> None:
        resumed = _size(partial)
        try:
            self._download(url, package, partial, fetcher)
        except TrustError:
            if not resumed:
                raise
            self._download(url, package, partial, fetcher)  # the partial file may have been bad: start again

    def _download(self, url: str, package: DownloadItem, partial: Path, fetcher: PackageFetcher) -> None:
        """Download and store; a file with another digest is deleted."""
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
    """Return one error of the most severe kind with a line for each failure; a disk error is the same for all."""
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
