"""Metadata: each kind of lie of an rpm repository is refused in one line that says where."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from oic.errors import FetchError, OicError, TrustError
from oic.ospackage.indexed import RpmRepository
from oic.ospackage.origin import locked_indexes
from oic.provider.rpm.metadata import metadata_warnings

from .published import BASE, NOW, REPOMD, Mirror, key, mirror, read, read_one, refused, signers, store

if TYPE_CHECKING:
    from oic.ospackage.store import Store
    from provider.deb.signed import Signer


__all__ = ["key", "mirror", "signers", "store"]  # fixtures

CHECKSUM, OPEN_CHECKSUM, PACKAGE_SUM = (
    r'<checksum type="sha256">\w+',
    r'<open-checksum type="sha256">\w+',
    r'type="sha256" pkgid="YES">\w+',
)
HEAD = r"<\?xml[^>]+>"

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")


def test_a_missing_repomd_is_an_error_with_a_hint(mirror: Mirror, store: Store, key: str) -> None:
    del mirror.documents[REPOMD]
    with pytest.raises(FetchError, match=r"found no repomd\.xml") as caught:
        read(mirror, store, key)
    assert caught.value.where == REPOMD
    assert "directory that holds repodata/" in str(caught.value)


def test_an_unsigned_repository_is_refused_unless_the_recipe_trusts_it(mirror: Mirror, store: Store, key: str) -> None:
    del mirror.documents[f"{REPOMD}.asc"]
    assert "[trusted=yes]" in refused("expected a signature, found none", mirror, store, key)
    assert not store.root.exists(), "nothing unverified is kept"
    entry = read_one(mirror, store, trusted=True)
    assert (entry.trusted, entry.signers, entry.keys) == (True, (), ())
    assert locked_indexes([entry]) == {"base": ()}, "what nobody signed vouches for nothing"


def test_a_foreign_signature_is_refused(mirror: Mirror, store: Store, key: str, signers: dict[str, Signer]) -> None:
    mirror.sign(signer=signers["foreign"])
    refused("found signatures by unknown keys", mirror, store, key)


def test_a_stale_signature_is_refused(mirror: Mirror, store: Store, key: str) -> None:
    mirror.documents[REPOMD] = mirror.documents[REPOMD].replace(b"<revision>1000", b"<revision>1001")
    refused("does not match the text", mirror, store, key)
    assert not store.root.exists(), "nothing unverified is kept"


def test_an_expired_key_is_refused(mirror: Mirror, store: Store, key: str, signers: dict[str, Signer]) -> None:
    mirror.sign(BASE, "--faked-system-time", "20200102T000000", signer=signers["expired"])
    refused("expired key", mirror, store, key, str(signers["expired"].home / "public.gpg"))


def test_older_metadata_than_last_time_is_refused(mirror: Mirror, store: Store, key: str) -> None:
    mirror.publish_rpm(revision=2000)
    published = dict(mirror.documents)  # signed anew in another second, the signature would be another
    first = read(mirror, store, key)
    mirror.publish_rpm(revision=1999)
    refused("expected metadata no older than revision 2000, found 1999", mirror, store, key, previous=first)
    mirror.change("<revision>1999</revision>", "<revision>two</revision>")
    refused("expected metadata no older than timestamp 2000, found 1999", mirror, store, key, previous=first)
    mirror.documents = published
    assert read(mirror, store, key, previous=first).index == first.index


def test_metadata_from_the_future_is_refused(mirror: Mirror, store: Store, key: str) -> None:
    mirror.publish_rpm(revision=int(NOW.timestamp()) + 3 * 86400)
    assert "is the clock right?" in refused("expected a date in the past", mirror, store, key)


def test_an_index_older_than_two_weeks_gets_a_warning(mirror: Mirror, store: Store, key: str) -> None:
    index = read(mirror, store, key).index
    assert metadata_warnings(index, NOW) == [], "no time, but a number of its own"
    (entry,) = index.of(RpmRepository)

    def said(days: int, field: str) -> list[str]:
        seconds = int((NOW - timedelta(days=days)).timestamp())
        value = {"timestamp": 0, "revision": "", field: seconds if field == "timestamp" else str(seconds)}
        return metadata_warnings(replace(index, repositories=(replace(entry, **value),)), NOW)

    for field in ("timestamp", "revision"):
        assert said(14, field) == []
        assert [text.partition(", ")[0] for text in said(15, field)] == ["the index of base is 15 days old"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (CHECKSUM, f'<checksum type="sha1">{"0" * 40}', "sha256 checksum of primary or a longer one, found 'sha1'"),
        (CHECKSUM, f'<checksum type="md5">{"0" * 32}', "found 'md5'"),
        (OPEN_CHECKSUM, f'<open-checksum type="sha">{"0" * 40}', "found 'sha'"),
        (CHECKSUM, f'<checksum type="sha256">{"0" * 64}', "expected sha256 0000"),
        (CHECKSUM, '<checksum type="sha256">zz', "expected a sha256 checksum of primary, found 'zz'"),
        (CHECKSUM + "</checksum>", "", "expected a checksum of primary, found none"),
        (OPEN_CHECKSUM, f'<open-checksum type="sha256">{"1" * 64}', r"primary\.xml\.gz, decompressed: expected"),
        (r"<open-size>\d+", "<open-size>10", "at most 10 bytes, found more"),
        (r"<open-size>\d+", "<open-size>99999999999", "expected files of at most"),
        (r"<size>\d+", "<size>many", "expected a number in size, found 'many'"),
        (r"<timestamp>\d+", "<timestamp>soon", "expected a number in timestamp"),
        (r'href="[^"]+"', 'href="../../primary.xml.gz"', "expected primary below the repository"),
        (r'href="[^"]+"', 'href="/primary.xml.gz"', "expected primary below the repository"),
        (r'href="[^"]+"', 'href="http://elsewhere/primary.xml.gz"', "expected primary below the repository"),
        (r'href="[^"]+"', 'href="repodata/%2e%2e/%2E%2E/primary.xml.gz"', "expected primary below the repository"),
        ("<location ", '<location xml:base="http://elsewhere/" ', "expected primary below the repository"),
        (r'href="[^"]+"', 'href="repodata/primary.xml.lz"', "expected primary plain or as one of bz2, gz, lzma, "),
        (r"<location [^>]+>", "", "expected primary below the repository"),
        ('type="primary"', 'type="primary_db"', "expected a list of packages"),
        ('type="filelists"', 'type="primary"', "expected primary once"),
        (HEAD, '<?xml version="1.0"?><!DOCTYPE repomd [<!ENTITY a "b">]>', "found a document type or entity"),
        (HEAD, '<?xml version="1.0"?><!DOCTYPE repomd SYSTEM "file:///etc/passwd">', "found a document type"),
        (r"<revision>", "<deep>" * 40 + "<revision>", "at most 32 elements deep"),
        ("</repomd>", "", "expected XML, found damage"),
        ("(?s)<repomd.*", "<feed><title>not here</title></feed>", "expected repository metadata, found <feed>"),
        ("<revision>", "<revision>" + "x" * 2**20, "expected at most 1048576 bytes"),
    ],
)  # fmt: skip
def test_malformed_values_in_a_signed_document_are_refused(
    old: str, new: str, message: str, mirror: Mirror, store: Store, key: str
) -> None:
    mirror.change(old, new)
    refused(message, mirror, store, key)
    assert not store.root.exists()


def test_other_forms_of_primary_are_ignored(mirror: Mirror, store: Store, key: str) -> None:
    extra = '<data type="primary_db"><checksum type="md5">0</checksum><location href="/../x"/></data>'
    mirror.change(
        "</repomd>",
        f"{extra}{extra.replace('primary_db', 'primary_zck')}{extra.replace('primary_db', 'modules')}{extra}</repomd>",
    )
    assert read(mirror, store, key).index.repositories


def test_sizes_may_be_missing(mirror: Mirror, store: Store, key: str) -> None:
    mirror.change(r"<(open-)?size>\d+</(open-)?size>", "", count=0)
    mirror.change(r"<open-checksum[^/]+/open-checksum>", "", count=0)
    assert read(mirror, store, key).index.repositories


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda data: data[:-1], TrustError, "expected sha256"),
        (lambda data: data[:-1] + b"!", TrustError, "expected sha256"),
        (lambda data: data + b"!", FetchError, "expected at most"),
        (lambda _: b"", TrustError, "of 0 bytes"),
    ],
)
def test_a_changed_primary_is_refused(
    change: Any, error: type[OicError], message: str, mirror: Mirror, store: Store, key: str
) -> None:
    url = f"{BASE}/repodata/primary.xml.gz"
    mirror.documents[url] = change(mirror.documents[url])
    with pytest.raises(error, match=message) as caught:
        read(mirror, store, key)
    assert caught.value.where == url
    assert not store.root.exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (PACKAGE_SUM, 'type="sha256" pkgid="YES">12', "found damage"),
        (HEAD, '<?xml version="1.0"?><!DOCTYPE metadata [<!ENTITY a "aaaa">]>', "found a document type or entity"),
        ("</metadata>", "", "expected XML, found damage"),
        ("<package ", "<x>" * 50 + "<package ", "at most 32 elements deep"),
    ],
)  # fmt: skip
def test_a_damaged_primary_is_refused(old: str, new: str, message: str, mirror: Mirror, store: Store, key: str) -> None:
    mirror.change_primary(old, new)
    refused(message, mirror, store, key)
