"""A file from a mirror: resumed, never longer than asked for, right however often the line drops."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from oic.errors import FetchError
from oic.ospackage.fetch import NotFound, WrongSize
from oic.ospackage.http import MIN_PROGRESS, HttpFetcher

from .mirror import Served

if TYPE_CHECKING:
    from pathlib import Path

    from .mirror import Mirror, Request

BODY = random.Random(1).randbytes(300_000)
OTHER = random.Random(2).randbytes(300_000)


class Sum:
    """What was reported, in all."""

    def __init__(self) -> None:
        self.total = 0

    def __call__(self, count: int) -> None:
        self.total += count


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "partial"


def test_brings_the_whole_file(mirror: Mirror, fetcher: HttpFetcher, file: Path) -> None:
    mirror.answers["/a"] = Served(BODY)
    report = Sum()
    fetcher.fetch_file(mirror.url("/a"), file, size=len(BODY), report=report)
    assert file.read_bytes() == BODY
    assert report.total == len(BODY)


def test_a_dropped_connection_is_resumed(mirror: Mirror, fetcher: HttpFetcher, file: Path) -> None:
    mirror.answers["/a"] = served = Served(BODY, cut=120_000)
    report = Sum()
    fetcher.fetch_file(mirror.url("/a"), file, size=len(BODY), report=report)
    assert file.read_bytes() == BODY
    assert report.total == len(BODY)
    assert served.seen == ["", "bytes=120000-", "bytes=240000-"]
    assert mirror.requests[1].headers["if-range"] == '"one"'


def test_a_download_of_an_earlier_run_is_resumed(mirror: Mirror, fetcher: HttpFetcher, file: Path) -> None:
    mirror.answers["/a"] = served = Served(BODY)
    file.write_bytes(BODY[:1000])
    report = Sum()
    fetcher.fetch_file(mirror.url("/a"), file, size=len(BODY), report=report)
    assert file.read_bytes() == BODY
    assert served.seen == ["bytes=1000-"]
    assert report.total == len(BODY) - 1000


def test_a_complete_file_needs_no_request(mirror: Mirror, fetcher: HttpFetcher, file: Path) -> None:
    file.write_bytes(BODY)
    fetcher.fetch_file(mirror.url("/a"), file, size=len(BODY), report=Sum())
    assert not mirror.requests


def test_a_file_that_is_too_long_is_downloaded_again(mirror: Mirror, fetcher: HttpFetcher, file: Path) -> None:
    mirror.answers["/a"] = Served(BODY)
    file.write_bytes(OTHER + b"x")
    report = Sum()
    fetcher.fetch_file(mirror.url("/a"), file, size=len(BODY), report=report)
    assert file.read_bytes() == BODY
    assert report.total == len(BODY) - len(OTHER) - 1


def test_a_server_without_ranges_sends_it_all_again(mirror: Mirror, fetcher: HttpFetcher, file: Path) -> None:
    mirror.answers["/a"] = lambda request: request.reply(200, BODY)
    file.write_bytes(OTHER[:1000])
    report = Sum()
    fetcher.fetch_file(mirror.url("/a"), file, size=len(BODY), report=report)
    assert file.read_bytes() == BODY
    assert report.total == len(BODY) - 1000


def test_versions_of_a_file_that_changes_during_the_download_are_not_mixed(
    mirror: Mirror, fetcher: HttpFetcher, file: Path
) -> None:
    first, second = Served(OTHER, cut=120_000), Served(BODY, tag='"two"')
    mirror.answers["/a"] = lambda request: (first if request.nth == 1 else second)(request)
    report = Sum()
    fetcher.fetch_file(mirror.url("/a"), file, size=len(BODY), report=report)
    assert file.read_bytes() == BODY
    assert report.total == len(BODY)


def test_a_weak_etag_is_not_used_to_resume(mirror: Mirror, fetcher: HttpFetcher, file: Path) -> None:
    mirror.answers["/a"] = Served(BODY, tag='W/"one"', cut=200_000)
    fetcher.fetch_file(mirror.url("/a"), file, size=len(BODY), report=Sum())
    assert file.read_bytes() == BODY
    assert "if-range" not in mirror.requests[1].headers


@pytest.mark.parametrize("found", ["bytes 5-299999/300000", "bytes */300000", "nonsense", ""])
def test_a_range_not_asked_for_is_not_taken(found: str, mirror: Mirror, fetcher: HttpFetcher, file: Path) -> None:
    mirror.answers["/a"] = lambda request: (
        request.reply(206, BODY[5:], Content_Range=found) if "range" in request.headers else request.reply(200, BODY)
    )
    file.write_bytes(BODY[:1000])
    fetcher.fetch_file(mirror.url("/a"), file, size=len(BODY), report=Sum())
    assert file.read_bytes() == BODY


def test_an_unsatisfiable_range_starts_the_download_again(mirror: Mirror, fetcher: HttpFetcher, file: Path) -> None:
    mirror.answers["/a"] = lambda request: (
        request.reply(416) if "range" in request.headers else request.reply(200, BODY)
    )
    file.write_bytes(OTHER[:1000])
    fetcher.fetch_file(mirror.url("/a"), file, size=len(BODY), report=Sum())
    assert file.read_bytes() == BODY


@pytest.mark.parametrize("body", [BODY + b"x", BODY[:-1]])
def test_another_declared_size_is_told_before_the_body(
    body: bytes, mirror: Mirror, fetcher: HttpFetcher, file: Path
) -> None:
    mirror.answers["/a"] = lambda request: request.reply(200, body)
    with pytest.raises(WrongSize, match=f"expected {len(BODY)} bytes, found {len(body)} .*try doit update"):
        fetcher.fetch_file(mirror.url("/a"), file, size=len(BODY), report=Sum())
    assert mirror.count("/a") == 1
    assert not file.exists()


def test_a_resumed_file_of_another_size_is_told(mirror: Mirror, fetcher: HttpFetcher, file: Path) -> None:
    mirror.answers["/a"] = Served(BODY + b"x")
    file.write_bytes(BODY[:1000])
    with pytest.raises(WrongSize, match=f"expected {len(BODY)} bytes, found {len(BODY) + 1}"):
        fetcher.fetch_file(mirror.url("/a"), file, size=len(BODY), report=Sum())


def test_nothing_is_written_beyond_the_size(mirror: Mirror, fetcher: HttpFetcher, file: Path) -> None:
    def endless(request: Request) -> None:
        request.head(200, Connection="close")
        while not request.stopped.is_set():
            request.socket.sendall(BODY)

    mirror.answers["/a"] = endless
    with pytest.raises(WrongSize, match="found more than 1000"):
        fetcher.fetch_file(mirror.url("/a"), file, size=1000, report=Sum())
    assert not file.exists() or file.stat().st_size <= 1000


def test_a_connection_that_always_drops_is_an_error_and_keeps_the_partial_file(
    mirror: Mirror, fetcher: HttpFetcher, file: Path
) -> None:
    mirror.answers["/a"] = Served(BODY, cut=50_000)
    with pytest.raises(FetchError, match=r"cut off.*after 3 attempts"):
        fetcher.fetch_file(mirror.url("/a"), file, size=len(BODY), report=Sum())
    assert file.read_bytes() == BODY[:150_000]


def test_progress_starts_the_count_of_attempts_again(mirror: Mirror, fetcher: HttpFetcher, file: Path) -> None:
    body = random.Random(3).randbytes(6 * MIN_PROGRESS)
    mirror.answers["/a"] = Served(body, cut=MIN_PROGRESS)
    fetcher.fetch_file(mirror.url("/a"), file, size=len(body), report=Sum())
    assert file.read_bytes() == body
    assert mirror.count("/a") == 6


def test_a_file_that_keeps_changing_is_given_up(mirror: Mirror, fetcher: HttpFetcher, file: Path) -> None:
    body = bytes(3 * MIN_PROGRESS)
    mirror.answers["/a"] = lambda request: Served(body, tag=f'"{request.nth}"', cut=2 * MIN_PROGRESS)(request)
    with pytest.raises(FetchError, match="cut off"):
        fetcher.fetch_file(mirror.url("/a"), file, size=len(body), report=Sum())


def test_a_very_slow_answer_and_a_missing_file_are_reported(mirror: Mirror, fetcher: HttpFetcher, file: Path) -> None:
    def slow(request: Request) -> None:
        request.head(200, Content_Length=str(len(BODY)))
        request.trickle(BODY)

    mirror.answers["/slow"] = slow
    with pytest.raises(FetchError, match="too slow"):
        fetcher.fetch_file(mirror.url("/slow"), file, size=len(BODY), report=Sum())
    with pytest.raises(NotFound, match="HTTP 404"):
        fetcher.fetch_file(mirror.url("/none"), file, size=len(BODY), report=Sum())


def test_a_full_disk_is_no_failure_of_the_mirror(mirror: Mirror, fetcher: HttpFetcher, file: Path) -> None:
    mirror.answers["/a"] = Served(BODY)
    file.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        fetcher.fetch_file(mirror.url("/a"), file, size=len(BODY), report=Sum())
    assert mirror.count("/a") == 1


def test_a_file_url_is_copied_and_resumed(tmp_path: Path, fetcher: HttpFetcher, file: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(BODY)
    file.write_bytes(BODY[:1000])
    report = Sum()
    fetcher.fetch_file(source.as_uri(), file, size=len(BODY), report=report)
    assert file.read_bytes() == BODY
    assert report.total == len(BODY) - 1000
    with pytest.raises(WrongSize):
        fetcher.fetch_file(source.as_uri(), tmp_path / "b", size=5, report=Sum())
