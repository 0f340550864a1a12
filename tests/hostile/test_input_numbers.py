"""Numbers, names and addresses that strangers write: one clear line each, never a traceback or a hang."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from config.conftest import HEAD, complain, load  # noqa: F401 - fixtures
from msgspec.structs import replace
from net.conftest import QUICK
from net.mirror import Mirror

from oic.errors import FetchError, OicError
from oic.image.tree.accounts import write_keys
from oic.ospackage.http import HttpFetcher
from oic.plan import plan
from oic.provider.deb.release import parse_release
from oic.values import MAX_NUMBER, parse_number

from .ways import USER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.conftest import Complain, Load

MANY = "9" * 5000
LONG = "a" * 300


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with Mirror() as server:
        yield server


@pytest.fixture
def fetcher() -> Iterator[HttpFetcher]:
    with HttpFetcher(policy=QUICK) as made:
        yield made


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("0012", 12), ("0" * 5000 + "7", 7), (MANY, MAX_NUMBER), ("", None), ("-1", None), ("1_0", None)],
    ids=range(7),
)
def test_a_number_is_what_ascii_digits_say(text: str, number: int | None) -> None:
    assert parse_number(text) == number
    assert parse_number("٣") is None


def test_a_document_of_a_length_of_five_thousand_digits(mirror: Mirror, fetcher: HttpFetcher) -> None:
    mirror.answers["/a"] = lambda request: request.head(200, Content_Length=MANY)
    with pytest.raises(FetchError, match="expected at most 10 bytes, found more"):
        fetcher.fetch(mirror.url("/a"), limit=10)


def test_a_file_of_a_length_of_five_thousand_digits(mirror: Mirror, fetcher: HttpFetcher, tmp_path: Path) -> None:
    mirror.answers["/a"] = lambda request: request.head(200, Content_Length=MANY)
    with pytest.raises(FetchError, match=r"expected 10 bytes, found 9{20}\b"):
        fetcher.fetch_file(mirror.url("/a"), tmp_path / "a", size=10, report=lambda _: None)


@pytest.mark.parametrize("found", [f"bytes {MANY}-9/10", f"bytes 3-9/{MANY}", "bytes ٣-9/10"], ids=range(3))
def test_a_range_of_five_thousand_digits(found: str, mirror: Mirror, fetcher: HttpFetcher, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    mirror.answers["/a"] = lambda request: request.head(206 if request.nth == 1 else 404, Content_Range=found)
    with pytest.raises(FetchError) as raised:
        fetcher.fetch_file(mirror.url("/a"), tmp_path / "a", size=10, report=lambda _: None)
    assert len(str(raised.value)) < 300


def test_a_wait_of_five_thousand_digits(mirror: Mirror, fetcher: HttpFetcher) -> None:
    mirror.answers["/a"] = lambda request: request.head(503, Retry_After=MANY, Content_Length="0")
    with pytest.raises(FetchError, match="which asks to retry after 1000000000000000000 s"):
        fetcher.fetch(mirror.url("/a"), limit=10)


@pytest.mark.parametrize(
    "target", [b"http://[", b"http://[::1", b"/\xff\xfe", b"http://mirror.example\xe2\x84\x80/", b"http://a:b:c/"]
)
def test_a_redirect_to_nowhere_at_all(target: bytes, mirror: Mirror, fetcher: HttpFetcher) -> None:
    head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + target + b"\r\n\r\n"
    mirror.answers["/a"] = lambda request: request.socket.sendall(head)
    with pytest.raises(FetchError, match="malformed"):
        fetcher.fetch(mirror.url("/a"), limit=10)


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:00:00 -2300", f"Mon, 01 Jan {MANY} 00:00:00 +0000"])
def test_a_date_that_no_calendar_has(date: str) -> None:
    text = f"Suite: a\nCodename: a\nDate: {date}\nSHA256:\n {'0' * 64} 1 main/binary-amd64/Packages\n"
    with pytest.raises(OicError, match="expected a date in Date"):
        parse_release(text, where="Release")


def test_ids_that_a_script_wrote_into_passwd(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_bytes(b"edge:x:%s:0:\xff:/home:/bin/sh\n" % MANY.encode())
    with pytest.raises(OicError, match="expected a user id and a group id of edge"):
        write_keys(tmp_path, [replace(USER, name="edge")])


@pytest.mark.parametrize(
    ("body", "head", "words"),
    [
        ("", HEAD.replace("raw", LONG), "target.imageType: expected one of raw, iso, img"),
        ("", HEAD.replace("x86_64", LONG), "target.arch: expected one of x86_64"),
        ("", HEAD.replace("1.0", "1." + "0" * 300), "image.version: expected a version"),
        (f"lock: {LONG}\n", HEAD, "lock: expected a lock file, found none"),
        ("include: [loop]\n", HEAD, "Too many levels of symbolic links"),
        (f"systemConfig: {{users: [{{name: a, password: {'p' * 5000}}}]}}\n", HEAD, "a password of at most 511 bytes"),
        (f"systemConfig: {{timezone: {LONG}}}\n", HEAD, "systemConfig.timezone: expected a time zone"),
        (f"systemConfig: {{additionalFiles: [{{local: x, final: /{LONG}}}]}}\n", HEAD, "expected a path of at most"),
    ],
    ids=range(8),
)
def test_what_is_too_long_in_a_recipe(body: str, head: str, words: str, complain: Complain, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "loop").symlink_to("loop")
    problems = complain(body, head=head)
    assert len(problems) == 1
    assert words in problems[0]


def test_the_longest_password_that_is_one_can_be_hashed(load: Load, tmp_path: Path) -> None:  # noqa: F811
    config = load(f"systemConfig: {{users: [{{name: a, password: {'p' * 511}}}]}}\n")
    assert plan(config, tmp_path / "cache")
