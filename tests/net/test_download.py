"""Many packages at once: what can be had is kept, what cannot is named, an interrupt loses nothing."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from oic.errors import FetchError, TrustError
from oic.ospackage.download import Downloaded, DownloadItem, download_packages
from oic.ospackage.http import HttpFetcher
from oic.ospackage.store import Store
from oic.values import Digest

from .conftest import QUICK
from .mirror import Served

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .mirror import Mirror, Request


class Tally:
    """A bar that adds up."""

    def __init__(self) -> None:
        self.totals = (0, 0)
        self.bytes = 0
        self.items: list[str] = []
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def __call__(self, title: str, total_bytes: int, total_items: int) -> Iterator[Tally]:
        assert title == "download"
        self.totals = (total_bytes, total_items)
        yield self

    def advance(self, nbytes: int) -> None:
        with self._lock:
            self.bytes += nbytes

    def done(self, item: str) -> None:
        self.items.append(item)


def quick() -> HttpFetcher:
    return HttpFetcher(policy=QUICK)


def bodies(count: int) -> list[bytes]:
    source = random.Random(7)
    return [source.randbytes(source.randrange(1, 90_000)) for _ in range(count)]


def wanted(mirror: Mirror, name: str, body: bytes, *, others: Sequence[str] = ()) -> DownloadItem:
    digest = Digest(hashlib.sha256(body).hexdigest())
    return DownloadItem(digest=digest, size=len(body), urls=(*others, mirror.url(f"/{name}")), label=name)


def serve(mirror: Mirror, some: Sequence[bytes]) -> list[DownloadItem]:
    packages = []
    for number, body in enumerate(some):
        mirror.answers[f"/{number}"] = Served(body)
        packages.append(wanted(mirror, str(number), body))
    return packages


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def partials(store: Store) -> list[Path]:
    return list((store.root / "partial").glob("*"))


def finals(store: Store) -> set[str]:
    return {path.name for path in (store.root / "sha256").rglob("*") if path.is_file()}


CHILD = """
import json, signal, sys
from pathlib import Path
from oic.errors import OicError
from oic.ospackage.http import HttpFetcher
from oic.ospackage.download import DownloadItem, download_packages
from oic.bars import progress_bar
from oic.ospackage.store import Store
signal.signal(signal.SIGINT, signal.default_int_handler)  # not so where the tests run in the background
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
packages = [DownloadItem(**{**entry, "urls": tuple(entry["urls"])}) for entry in json.loads(sys.argv[2])]
try:
    download_packages(packages, Store(Path(sys.argv[1])), HttpFetcher, progress_bar)
except OicError as error:
    print(type(error).__name__, error, file=sys.stderr)
    sys.exit(3)
"""


def as_json(packages: Sequence[DownloadItem]) -> str:
    return json.dumps([structs.asdict(package) for package in packages])


def test_all_packages_are_downloaded_once(mirror: Mirror, store: Store) -> None:
    some = bodies(30)
    packages = serve(mirror, some)
    tally = Tally()
    size = sum(map(len, some))
    done = download_packages([*packages, *packages], store, quick, tally)
    assert done == Downloaded(fetched=30, reused=0, bytes=size)
    assert [store.read(package.digest) for package in packages] == some
    assert (tally.totals, tally.bytes, len(tally.items)) == ((size, 30), size, 30)
    assert partials(store) == []
    assert download_packages(packages, store, quick, Tally()) == Downloaded(fetched=0, reused=30, bytes=0)
    assert len(mirror.requests) == 30


def test_a_blob_of_another_size_is_fetched_again(mirror: Mirror, store: Store) -> None:
    packages = serve(mirror, bodies(1))
    download_packages(packages, store, quick, Tally())
    path = store.path(packages[0].digest)
    path.chmod(0o644)
    path.write_bytes(b"cut")
    assert download_packages(packages, store, quick, Tally()).fetched == 1
    store.read(packages[0].digest)


def test_every_bad_package_is_named_and_every_good_one_kept(mirror: Mirror, store: Store) -> None:
    packages = serve(mirror, bodies(12))
    other = random.Random(8).randbytes(packages[3].size)
    mirror.answers["/3"] = Served(other)
    del mirror.answers["/5"]
    mirror.answers["/7"] = lambda request: request.reply(200, b"longer" * 90_000)
    tally = Tally()
    with pytest.raises(TrustError) as caught:
        download_packages(packages, store, quick, tally)
    lines = str(caught.value).splitlines()
    gone = "(superseded on the mirror: run doit update image=…)"
    hint = "(the mirror serves another file than its index says: try doit update)"
    found = hashlib.sha256(other).hexdigest()
    expected = f"expected sha256 {packages[3].digest} of {len(other)} bytes, found {found} of {len(other)} bytes"
    assert lines == [
        "3 of 12 packages could not be downloaded",
        f"3: {packages[3].urls[0]}: {expected} {hint}",
        f"5: {packages[5].urls[0]}: expected a file, found HTTP 404 {gone}",
        f"7: {packages[7].urls[0]}: expected {packages[7].size} bytes, found 540000 {hint}",
    ]
    good = [package for package in packages if package.label not in ("3", "5", "7")]
    assert finals(store) == {package.digest for package in good}
    assert partials(store) == []
    assert tally.bytes == sum(package.size for package in good)


def test_one_failure_is_one_line(mirror: Mirror, store: Store) -> None:
    packages = serve(mirror, bodies(2))
    del mirror.answers["/0"]
    with pytest.raises(FetchError, match=r"^0: http://127.*HTTP 404 \(superseded.*\)$"):
        download_packages(packages, store, quick, Tally())


@pytest.mark.parametrize("first", ["gone", "changed"])
def test_another_mirror_is_asked_when_one_fails(first: str, mirror: Mirror, store: Store) -> None:
    (body,) = bodies(1)
    mirror.answers["/good"] = Served(body)
    mirror.answers["/changed"] = Served(bytes(len(body)))
    package = wanted(mirror, "good", body, others=[mirror.url(f"/{first}")])
    tally = Tally()
    assert download_packages([package], store, quick, tally).fetched == 1
    assert store.read(package.digest) == body
    assert tally.bytes == len(body)


def test_a_damaged_partial_file_is_not_blamed_on_the_mirror(mirror: Mirror, store: Store) -> None:
    packages = serve(mirror, bodies(1))
    with store.partial(packages[0].digest) as partial:
        partial.write_bytes(bytes(packages[0].size - 5))
    tally = Tally()
    download_packages(packages, store, quick, tally)
    store.read(packages[0].digest)
    assert tally.bytes == packages[0].size


def test_a_mirror_that_is_down_is_not_asked_for_everything(mirror: Mirror, store: Store) -> None:
    packages = serve(mirror, bodies(60))
    for path in list(mirror.answers):
        mirror.answers[path] = lambda request: request.reply(503)
    with pytest.raises(FetchError, match=r"of 60 packages could not be downloaded, \d+ not tried"):
        download_packages(packages, store, quick, Tally(), jobs=4)
    asked = {request.path for request in mirror.requests}
    assert len(asked) < 10


def test_a_full_disk_stops_the_rest(mirror: Mirror, store: Store) -> None:
    packages = serve(mirror, bodies(60))
    store.root.mkdir()
    script = 'mount -t tmpfs -o size=256k none "$1" && exec "$2" -c "$3" "$1" "$4"'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(store.root)]
    if shutil.which("unshare") is None or subprocess.run([*command[:4], "true"], check=False).returncode:
        pytest.skip("no user namespaces here: allow them, or install util-linux")
    command += [sys.executable, CHILD, as_json(packages)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 3
    count = r"\d+ of 60 packages could not be downloaded, \d+ not tried"
    assert re.search(count + r": no space left in /\S* \(0 MiB free\)", done.stderr)
    assert done.stderr.count("no space left") == 1


def test_a_bug_in_a_thread_is_raised_as_it_is(mirror: Mirror, store: Store) -> None:
    class Buggy(HttpFetcher):
        def fetch_file(self, *_: object, **__: object) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        download_packages(serve(mirror, bodies(5)), store, Buggy, Tally())


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupt_leaves_partial_files_that_the_next_run_resumes(
    sent: signal.Signals, mirror: Mirror, store: Store
) -> None:
    some = bodies(3)
    packages = serve(mirror, some)
    halfway = threading.Event()

    def stuck(request: Request) -> None:
        request.head(200, Content_Length=str(len(some[1])), ETag='"one"')
        request.socket.sendall(some[1][:1000])
        halfway.set()
        request.stopped.wait(30)

    mirror.answers["/1"] = stuck
    command = [sys.executable, "-c", CHILD, str(store.root), as_json(packages)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as child:
        assert halfway.wait(30)
        partial = store.root / "partial" / packages[1].digest
        while not partial.exists() or partial.stat().st_size < 1000 or len(finals(store)) < 2:
            assert child.poll() is None
            time.sleep(0.01)
        child.send_signal(sent)
        child.communicate(timeout=30)
    assert child.returncode != 0
    assert finals(store) == {packages[0].digest, packages[2].digest}
    assert partials(store) == [partial]
    mirror.answers["/1"] = served = Served(some[1])
    assert download_packages(packages, store, quick, Tally()).reused == 2
    assert served.seen == ["bytes=1000-"]
    assert store.read(packages[1].digest) == some[1]


def test_two_builds_at_once_share_the_work(mirror: Mirror, store: Store) -> None:
    some = bodies(20)
    packages = serve(mirror, some)
    results: list[Downloaded] = []

    def build() -> None:
        results.append(download_packages(packages, store, quick, Tally()))

    builds = [threading.Thread(target=build) for _ in range(2)]
    for thread in builds:
        thread.start()
    for thread in builds:
        thread.join()
    assert sum(result.fetched for result in results) == 20
    assert sum(result.reused for result in results) == 20
    assert len(mirror.requests) == 20
    assert [store.read(package.digest) for package in packages] == some


@pytest.mark.mirror
def test_a_real_mirror_gives_what_apt_says(store: Store) -> None:
    command = ["apt-get", "download", "--print-uris", "-o", "Acquire::ForceHash=SHA256", "hostname", "mawk"]
    if shutil.which("apt-get") is None:
        pytest.skip("no apt here: its lists are what this test compares with")
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    if said.returncode:
        pytest.skip("no package lists of apt here: run apt-get update")
    packages = []
    for line in said.stdout.splitlines():
        url, name, size, checksum = line.split()
        digest = Digest(checksum.removeprefix("SHA256:"))
        packages.append(DownloadItem(digest=digest, size=int(size), urls=(url.strip("'"),), label=name))
    assert len(packages) == 2
    assert download_packages(packages, store, HttpFetcher, Tally()).fetched == 2
