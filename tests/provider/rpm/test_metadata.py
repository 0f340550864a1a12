"""Metadata: a signed rpm repository is read."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from ospackage.asked import asked

from oic.config.repository import Repository
from oic.errors import FetchError, TrustError
from oic.handover.packages import Index
from oic.ospackage.http import HttpFetcher
from oic.ospackage.indexed import RpmRepository
from oic.ospackage.store import Store
from oic.provider.protocol import Previous
from oic.provider.rpm.metadata import read_metadata
from oic.provider.rpm.solve import solve

from .published import BASE, PATHS, REPOMD, Mirror, key, mirror, read, read_one, refused, signers, store
from .repodata import COMPRESSED

if TYPE_CHECKING:
    from pathlib import Path

    from provider.deb.signed import Signer


__all__ = ["key", "mirror", "signers", "store"]  # fixtures

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")


def test_a_signed_repository_is_read(mirror: Mirror, store: Store, key: str, signers: dict[str, Signer]) -> None:
    entry = read_one(mirror, store, "/nonexistent/other.gpg", key)
    assert entry.signers == (signers["base"].fingerprint,)
    assert (entry.revision, entry.timestamp) == ("1000", 1000)
    assert store.read(entry.primary.sha256) == mirror.documents[f"{BASE}/repodata/primary.xml.gz"]
    documents = {one.url: store.read(one.sha256) for one in entry.documents}
    assert documents == {
        url: mirror.documents[url] for url in (REPOMD, f"{REPOMD}.asc", f"{BASE}/repodata/primary.xml.gz")
    }
    assert [one.name for one in entry.documents] == ["repomd.xml", "repomd.xml.asc", "primary"]
    (known,) = entry.keys
    assert store.read(known.sha256) == (signers["base"].home / "public.gpg").read_bytes()
    assert known.url == f"file://{key}"
    assert known.size == len(store.read(known.sha256))


def test_an_index_names_every_blob_that_it_needs(mirror: Mirror, store: Store, key: str) -> None:
    mirror.publish_rpm(PATHS)
    index = read(mirror, store, key).index
    assert index.artefacts() == sorted(f"store/sha256/{path.name[:2]}/{path.name}" for path in _blobs(store))
    assert Index.from_text(index.to_text()) == index


def _blobs(store: Store) -> list[Path]:
    return [path for path in (store.root / "sha256").rglob("*") if path.is_file()]


def test_a_signature_by_any_key_is_accepted(mirror: Mirror, store: Store, key: str, signers: dict[str, Signer]) -> None:
    second = str(signers["second"].home / "public.gpg")
    for signer in ("base", "second"):
        mirror.sign(signer=signers[signer])
        entry = read_one(mirror, store, second, key)
        assert entry.signers == (signers[signer].fingerprint,)
        assert len(entry.keys) == 2


def test_a_key_can_come_from_a_url(mirror: Mirror, store: Store, signers: dict[str, Signer]) -> None:
    url = f"{BASE}/repodata/repomd.xml.key"
    mirror.documents[url] = (signers["base"].home / "public.gpg").read_bytes()
    assert read_one(mirror, store, url).keys[0].url == url


def test_an_unchanged_document_is_not_sent_again(mirror: Mirror, store: Store, key: str) -> None:
    mirror.publish_rpm(PATHS)
    first = read(mirror, store, key)
    assert first.index.of(RpmRepository)[0].filelists
    mirror.sent.clear()
    assert read(mirror, store, key, previous=first) == first
    assert mirror.sent == []


def test_missing_files_are_fetched_again(mirror: Mirror, store: Store, key: str, tmp_path: Path) -> None:
    first = read(mirror, store, key)
    assert read(mirror, Store(tmp_path / "other"), key, previous=first).index == first.index


def test_a_damaged_blob_of_the_store_is_fetched_again(mirror: Mirror, store: Store, key: str) -> None:
    first = read(mirror, store, key)
    damaged = store.path(first.index.of(RpmRepository)[0].primary.sha256)
    damaged.chmod(0o644)
    damaged.write_bytes(b"damaged")
    assert read(mirror, store, key).index == first.index


@pytest.mark.parametrize("compression", sorted(COMPRESSED))
@pytest.mark.parametrize("checksum", ["sha256", "sha384", "sha512"])
def test_every_compression_and_strong_checksum_is_read(
    compression: str, checksum: str, mirror: Mirror, store: Store, key: str
) -> None:
    mirror.documents.clear()
    mirror.publish_rpm(PATHS, compression=compression, checksum=checksum)
    first = read(mirror, store, key)
    (entry,) = first.index.of(RpmRepository)
    assert entry.filelists
    assert entry.primary.compression == entry.filelists.compression == compression
    found = solve(first.index, asked("far", architecture="x86_64"), store).sets["image"]
    assert [one.name for one in found] == [
        "there",
        "far",
    ]
    mirror.sent.clear()
    assert read(mirror, store, key, previous=first) == first
    assert mirror.sent == [], "a checksum that is not the store's own is remembered"


def test_filelists_are_fetched_only_for_a_path_not_in_primary(mirror: Mirror, store: Store, key: str) -> None:
    assert read_one(mirror, store, key).filelists is None
    assert not any("filelists" in url for url in mirror.asked)
    mirror.publish_rpm(PATHS)
    filelists = read_one(mirror, store, key).filelists
    assert filelists
    assert filelists.plain_size


@pytest.mark.parametrize(
    ("packages", "files"),
    [
        ([{"nevra": "a-1-1", "requires": ["(b if /opt/x)"]}, "b-1-1"], "needed"),
        ([{"nevra": "a-1-1", "recommends": ["/opt/x"]}], "needed"),
        ([{"nevra": "a-1-1", "conflicts": ["/opt/x"]}], "needed"),
        ([{"nevra": "a-1-1", "requires": ["/opt/x"]}, {"nevra": "b-1-1", "provides": ["/opt/x"]}], "needed"),
        ([{"nevra": "a-1-1", "provides": ["/opt/x"]}], "left"),
        ([{"nevra": "a-1-1", "requires": ["/usr/bin/nowhere"]}], "left"),
        ([{"nevra": "a-1-1", "requires": ["/usr/lib/sendmail"]}], "left"),
        ([{"nevra": "a-1-1", "requires": ["/etc/x"]}, {"nevra": "b-1-1", "files": ["/etc/x"]}], "left"),
    ],
)
def test_only_paths_outside_primary_need_filelists(
    packages: list[Any],
    files: str,
    mirror: Mirror,
    store: Store,
    key: str,
) -> None:
    mirror.publish_rpm(packages)
    assert bool(read_one(mirror, store, key).filelists) is (files == "needed")


def test_a_mirror_list_is_tried_in_order(
    mirror: Mirror, store: Store, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror.publish_rpm(base="memory://good/x86_64/base")
    mirror.documents["memory://lists/base"] = (
        b"\xef\xbb\xbf# mirrors\nmemory://gone/$basearch/base/\n\nmemory://good/{arch}/base/ # ours\n"
    )
    index = read(mirror, store, key, mirror_list="memory://lists/base").index
    (entry,) = index.repositories
    assert entry.url == "memory://good/x86_64/base"
    assert "note: this mirror is skipped: memory://gone/x86_64/base/repodata/repomd.xml" in capsys.readouterr().err
    (package,) = solve(index, asked("foo", architecture="x86_64"), store).sets["image"]
    assert package.url == "memory://good/x86_64/base/Packages/foo-1-1.x86_64.rpm"


def test_an_older_state_on_another_mirror_of_the_list_is_refused(mirror: Mirror, store: Store, key: str) -> None:
    mirror.documents["memory://lists/base"] = b"memory://one\nmemory://two"
    mirror.publish_rpm(base="memory://two", revision=2000)
    first = read(mirror, store, key, mirror_list="memory://lists/base")
    mirror.publish_rpm(base="memory://one", revision=1500)
    refused("no older than revision 2000", mirror, store, key, mirror_list="memory://lists/base", previous=first)


def test_when_every_mirror_fails_each_reason_is_shown(mirror: Mirror, store: Store, key: str) -> None:
    mirror.documents["memory://lists/base"] = b"memory://one\nmemory://two"
    with pytest.raises(FetchError, match=r"(?s)no mirror of the list.*memory://one.*memory://two"):
        read(mirror, store, key, mirror_list="memory://lists/base")


@pytest.mark.parametrize("text", [b"", b"# nothing\n", b'<?xml version="1.0"?>\n<metalink>', b"<!DOCTYPE a><a/>"])
def test_a_malformed_mirror_list_is_refused(text: bytes, mirror: Mirror, store: Store, key: str) -> None:
    mirror.documents["memory://lists/base"] = text
    with pytest.raises(FetchError, match="expected a list of base URLs"):
        read(mirror, store, key, mirror_list="memory://lists/base")


@pytest.mark.parametrize(
    "url", ["ftp://a/repodata/repomd.xml", "file:///a/repodata/repomd.xml", "https://a/other.xml", ""]
)
def test_a_metalink_without_a_url_of_a_repository_is_refused(url: str, mirror: Mirror, store: Store, key: str) -> None:
    inner = f"<file name='repomd.xml'><resources><url preference='1'>{url}</url></resources></file>"
    mirror.documents["memory://lists/base"] = f"<metalink><files>{inner}</files></metalink>".encode()
    with pytest.raises(FetchError, match=r"expected a metalink with URLs of repomd\.xml, found none"):
        read(mirror, store, key, mirror_list="memory://lists/base")


def test_metadata_of_createrepo_are_read(tmp_path: Path, store: Store) -> None:
    """A repository that no test of ours has written, of one package made by rpmbuild."""
    for program, package in (("rpmbuild", "rpm"), ("createrepo_c", "createrepo-c")):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program} (apt-get install {package})")
    spec = tmp_path / "real.spec"
    spec.write_text(
        "Name: real\nEpoch: 2\nVersion: 1.0~rc1\nRelease: 3.azl3\nSummary: s\nLicense: MIT\nBuildArch: noarch\n"
        "Requires: (real if nothing)\nRequires(pre): real\nRecommends: other >= 1:2\n"
        "%description\nd\n%files\n%dir /usr/share/real\n%install\nmkdir -p %{buildroot}/usr/share/real\n"
    )
    done = run(
        ["rpmbuild", "-bb", "--define", f"_topdir {tmp_path}/top", "--define", f"_rpmdir {tmp_path}/repo", str(spec)]
    )
    assert done.returncode == 0, done.stderr
    for words in ([], ["--xz"], ["--zck"], ["--compress-type=zstd", "--checksum=sha512"]):
        options = [word for word in words if word != "--zck" or b"zck" in run(["createrepo_c", "--help"]).stdout]
        if run(["createrepo_c", "-q", *options, f"{tmp_path}/repo"]).returncode:
            assert "zstd" in str(words), "a createrepo_c of old does not know zstd"
            continue
        with HttpFetcher() as fetcher:
            made = Repository(name="made", url=(tmp_path / "repo").as_uri(), keys=(), trusted=True)
            weak = "sha512" in str(words)
            if weak:
                with pytest.raises(TrustError, match=r"expected a sha256 checksum of real-2:1\.0~rc1-3\.azl3\.noarch"):
                    read_metadata([made], "x86_64", fetcher, store, Previous())
                continue
            index = read_metadata([made], "x86_64", fetcher, store, Previous()).index
        (solved,) = solve(index, asked("real", architecture="x86_64", recommends=True), store).sets["image"]
        assert (solved.name, solved.version, solved.architecture) == ("real", "2:1.0~rc1-3.azl3", "noarch")
        (file,) = (tmp_path / "repo").rglob("*.rpm")
        assert solved.url == file.as_uri()
        assert (solved.sha256, solved.size) == (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_size)


def run(argv: list[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(argv, capture_output=True, check=False)
