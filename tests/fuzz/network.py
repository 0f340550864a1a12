"""What a server answers: status, headers, redirects, ranges, bodies."""

from __future__ import annotations

import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict

from fuzz.harness import Harness
from oic.errors import OicError
from oic.ospackage.answers import Transfer, TransientError, redirected, refuse_failure
from oic.ospackage.fetch import redacted
from oic.provider.documents import refuse_web_page

URL = "https://user:secret@mirror.invalid/a?token=secret"
SIZE = 64
STATUS = (200, 206, 301, 302, 401, 404, 408, 416, 429, 500, 503)
_PLACE = tempfile.TemporaryDirectory(prefix="fuzz-")


def _answer(data: bytes) -> None:
    """A byte for the status, one for how much is there already, headers, an empty line, the body."""
    first, there, *_ = *data[:2], 0, 0
    head, _, body = data[2:].partition(b"\n\n")
    response = requests.Response()
    response.status_code = STATUS[first % len(STATUS)]
    lines = (line.partition(b":") for line in head.split(b"\n"))
    response.headers = CaseInsensitiveDict(
        (name.decode("latin-1").strip(), value.decode("latin-1").strip()) for name, _, value in lines
    )
    try:
        _judge(response, there % (SIZE + 2), body)
    except (OicError, TransientError) as error:
        _expect_no_secret(str(error), data)
        raise


def _expect_no_secret(text: str, data: bytes) -> None:
    assert "secret" not in text or b"secret" in data, "a URL's secret"


def _judge(response: requests.Response, there: int, body: bytes) -> None:
    refuse_failure(response, URL)
    if response.status_code in (301, 302) and "Location" in response.headers:
        to = redirected(response, URL)
        assert urlsplit(to).scheme == "https"
        redacted(to)
    refuse_web_page(URL, body)
    file = Path(_PLACE.name) / "part"
    file.write_bytes(bytes(there))
    transfer = Transfer(url=URL, file=file, size=SIZE, report=lambda _: None)
    offset = transfer.offset()
    transfer.accept(response, offset)
    try:
        transfer.write(iter([body[at : at + 7] for at in range(0, len(body), 7)]))
    finally:
        assert file.stat().st_size <= SIZE


def _answers() -> list[bytes]:
    return [
        b'\0\0Content-Length: 64\nETag: "a"\nLast-Modified: Sat, 11 Jul 2026 10:16:37 GMT\n\n' + bytes(64),
        b"\1\x10Content-Range: bytes 16-63/64\nContent-Length: 48\n\n" + bytes(48),
        b"\2\0Location: https://other.invalid/b?c#d\n\n",
        b"\3\0Location: http://[::1]:80/\xc3\xa4\n\n",
        b"\x08\0Retry-After: Sat, 11 Jul 2026 10:16:37 GMT\n\n",
        b"\x0a\0Retry-After: 120\n\n",
        b"\0\0\n\n <!DOCTYPE html>",
    ]


HARNESSES = (
    Harness(name="http-answer", run=_answer, seeds=_answers, refusals=(OicError, TransientError), mutants=2000),
)
