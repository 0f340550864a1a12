"""What differs between two versions of a file, in words; the files are those that programs write."""

from __future__ import annotations

import sqlite3
import struct
import subprocess
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from oic.reproduce.content import Span, what_differs

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86400
NOW = 1_790_000_000
SPANS = (Span(start=NOW, end=NOW + 90), Span(start=NOW + DAY, end=NOW + DAY + 95))
MOMENTS = (NOW + 20, NOW + DAY + 31)


def differs(first: bytes, second: bytes) -> list[str]:
    return what_differs(first, second, SPANS)


def by(command: str, file: Path) -> bytes:
    subprocess.run(command.format(file).split(), check=True, capture_output=True)
    data = file.read_bytes()
    file.unlink()
    return data


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("openssl genpkey -algorithm RSA -out {}", "a private key (PEM, PKCS #8)"),
        ("ssh-keygen -q -t ed25519 -N  -f {}", "a private key (OpenSSH)"),
        ("openssl rand -base64 -out {} 32", "random characters or a digest"),
        ("openssl rand -hex -out {} 20", "random characters or a digest"),
        ("openssl rand -out {} 64", "random bytes or a digest"),
    ],
)
def test_random_content_is_named(command: str, words: str, tmp_path: Path) -> None:
    if "ssh-keygen" in command:
        first, second = (ssh_key(tmp_path / name) for name in "ab")
    else:
        first, second = by(command, tmp_path / "a"), by(command, tmp_path / "a")
    if "-out {} 64" in command:
        first, second = b"\0" + first, b"\0" + second
    assert differs(first, second) == [words]


def ssh_key(file: Path) -> bytes:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)], check=True)
    return file.read_bytes()


def test_a_certificate_is_named(tmp_path: Path) -> None:
    command = f"openssl req -new -newkey rsa:2048 -nodes -x509 -subj /CN=a -keyout {tmp_path}/k -out {{}}"
    assert "a certificate" in differs(by(command, tmp_path / "a"), by(command, tmp_path / "a"))


def test_uuids_and_machine_ids_are_named() -> None:
    first, second = (f"nqn.2014-08.org.nvmexpress:uuid:{uuid.uuid4()}\n".encode() for _ in "ab")
    assert differs(first, second) == ["a UUID"]
    first, second = (f"{uuid.uuid4().hex}\n".encode() for _ in "ab")
    assert differs(first, second) == ["an id of 128 bits"]


@pytest.mark.parametrize(
    "form",
    [
        "%s",
        "at %Y-%m-%d %H:%M:%S UTC",
        "%Y-%m-%dT%H:%M:%SZ",
        "%a %b %d %H:%M:%S %Y",
        "%a %b %e %H:%M:%S UTC %Y",
        "Date: %a, %d %b %Y %H:%M:%S +0000",
        "%Y%m%d%H%M%S",
        "%y%m%d%H%M%SZ",
        "on %Y-%m-%d",
        "-%Y%m%d-",
    ],
)
def test_a_time_of_the_build_is_named_however_it_is_written(form: str) -> None:
    first, second = (datetime.fromtimestamp(moment, UTC).strftime(form).encode() for moment in MOMENTS)
    assert differs(b"stamp: " + first + b"\n", b"stamp: " + second + b"\n") == ["a time"]


@pytest.mark.parametrize("form", ["<I", ">I", "<Q", ">Q"])
def test_a_time_in_binary_is_named(form: str) -> None:
    first, second = (b"abc" + struct.pack(form, moment) + b"def" for moment in MOMENTS)
    assert differs(first, second) == ["a time"]


def test_a_time_in_a_database_is_named(tmp_path: Path) -> None:
    """As tdnf's history has it."""
    versions = []
    for moment in MOMENTS:
        file = tmp_path / f"{moment}.db"
        with sqlite3.connect(file) as database:
            database.execute("create table transactions(id integer primary key, timestamp integer, cmdline text)")
            database.execute("insert into transactions(timestamp, cmdline) values (?, 'init')", (moment,))
        database.close()
        versions.append(file.read_bytes())
    assert differs(versions[0], versions[1]) == ["a time"]


def test_a_time_outside_the_build_is_not_reported() -> None:
    first, second = (str(moment - 10 * DAY).encode() for moment in MOMENTS)
    assert differs(first, second) == ["other content from byte 4 on (10 bytes)"]


def test_anything_else_is_told_by_where_it_begins() -> None:
    assert differs(b"one two", b"one three") == ["other content from byte 5 on (7 and 9 bytes)"]
    assert differs(b"one", b"one two") == ["other content from byte 3 on (3 and 7 bytes)"]


def test_all_of_several_things_are_named(tmp_path: Path) -> None:
    key = "openssl genpkey -algorithm ED25519 -out {}"
    first, second = (f"{uuid.uuid4()} {moment}\n".encode() + by(key, tmp_path / "a") for moment in MOMENTS)
    assert differs(first, second) == ["a private key (PEM, PKCS #8)", "a UUID", "a time"]
