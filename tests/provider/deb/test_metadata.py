"""Metadata: a signed repository is read, and each kind of lie is refused in one line."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from oic.errors import FetchError, ToolError, TrustError
from oic.handover.packages import Index
from oic.ospackage.indexed import DebRepository
from oic.ospackage.store import Store
from oic.provider.deb.metadata import metadata_warnings, read_metadata
from oic.provider.protocol import Metadata, Previous

from .signed import BASE, NOW, PACKAGES, MemoryMirror, Signer, clear_sign, compressed, release_text, repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")


@pytest.fixture(scope="session")
def signers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Signer]]:
    # A short path: gpg-agent's socket lives in the keyring's directory.
    folder = tmp_path_factory.mktemp("k")
    made = {name: Signer(home=folder / name).make() for name in ("archive", "second", "foreign")}
    made["expired"] = Signer(home=folder / "expired").make("2020-02-01", "--faked-system-time", "20200101T000000")
    yield made
    for signer in made.values():
        signer.close()


@pytest.fixture
def mirror(signers: dict[str, Signer]) -> MemoryMirror:
    made = MemoryMirror()
    made.publish(signers["archive"])
    return made


@pytest.fixture
def key(signers: dict[str, Signer]) -> Path:
    return signers["archive"].home / "public.gpg"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def read(
    mirror: MemoryMirror, store: Store, *keys: Path | str, previous: Metadata | None = None, **changes: Any
) -> Metadata:
    before = Previous(index=previous.index, answers=previous.answers) if previous else Previous()
    return read_metadata([repository(*keys, **changes)], "amd64", mirror, store, before, now=NOW)


def read_one(mirror: MemoryMirror, store: Store, *keys: Path | str, **changes: Any) -> DebRepository:
    (entry,) = read(mirror, store, *keys, **changes).index.of(DebRepository)
    return entry


def test_a_signed_repository_is_read(mirror: MemoryMirror, store: Store, key: Path, signers: dict[str, Signer]) -> None:
    entry = read_one(mirror, store, "/nonexistent/other.gpg", key)
    assert entry.signers == (signers["archive"].fingerprint,)
    assert entry.packages[0].compression == "xz"
    assert store.read(entry.packages[0].sha256) == compressed(PACKAGES)[".xz"]
    signed, *lists = entry.documents
    assert (signed.name, signed.url) == ("InRelease", f"{BASE}/InRelease")
    assert store.read(signed.sha256) == mirror.documents[f"{BASE}/InRelease"]
    assert [one.sha256 for one in lists] == [one.sha256 for one in entry.packages]
    assert any("by-hash" in url for url in mirror.asked)


def test_an_unchanged_document_is_not_sent_again(mirror: MemoryMirror, store: Store, key: Path) -> None:
    first = read(mirror, store, key)
    mirror.sent.clear()
    assert read(mirror, store, key, previous=first) == first
    assert mirror.sent == []


def test_missing_files_are_fetched_again(mirror: MemoryMirror, store: Store, key: Path, tmp_path: Path) -> None:
    first = read(mirror, store, key)
    assert read(mirror, Store(tmp_path / "other"), key, previous=first).index == first.index


def test_the_hand_over_is_the_same_when_nothing_changed(mirror: MemoryMirror, store: Store, key: Path) -> None:
    first, second = read(mirror, store, key), read(mirror, store, key)
    assert first.index.to_text() == second.index.to_text()
    assert "etag" not in first.index.to_text()
    assert all(answer.etag for answer in first.answers.values())


def test_an_index_names_every_blob_that_it_needs(mirror: MemoryMirror, store: Store, key: Path) -> None:
    index = read(mirror, store, key).index
    there = [path for path in (store.root / "sha256").rglob("*") if path.is_file()]
    assert index.artefacts() == sorted(f"store/sha256/{path.name[:2]}/{path.name}" for path in there)
    assert Index.from_text(index.to_text()) == index


def test_a_detached_signature_is_accepted(
    mirror: MemoryMirror, store: Store, key: Path, signers: dict[str, Signer]
) -> None:
    text = release_text()
    del mirror.documents[f"{BASE}/InRelease"]
    mirror.documents[f"{BASE}/Release"] = text
    mirror.documents[f"{BASE}/Release.gpg"] = signers["archive"].gpg("--armor", "--detach-sign", data=text)
    assert read_one(mirror, store, key).signers == (signers["archive"].fingerprint,)
    mirror.documents[f"{BASE}/Release"] = text.replace(b"bookworm", b"bookwurm")
    with pytest.raises(TrustError, match="does not match"):
        read(mirror, store, key)


@pytest.mark.parametrize("kinds", [("",), (".gz",), ("", ".gz"), (".xz",)])
def test_any_compression_of_the_archive_is_used(
    kinds: tuple[str, ...], mirror: MemoryMirror, store: Store, key: Path, signers: dict[str, Signer]
) -> None:
    mirror.documents[f"{BASE}/InRelease"] = clear_sign(release_text(kinds=kinds), signers["archive"])
    entry = read_one(mirror, store, key).packages[0]
    assert f".{entry.compression}".rstrip(".") == max(kinds)
    assert entry.plain_size == len(PACKAGES)


def test_without_by_hash_the_plain_name_is_fetched(
    mirror: MemoryMirror, store: Store, key: Path, signers: dict[str, Signer]
) -> None:
    mirror.publish(signers["archive"], Acquire_By_Hash="")
    read(mirror, store, key)
    assert not any("by-hash" in url for url in mirror.asked)


def test_a_missing_by_hash_file_is_fetched_by_name(mirror: MemoryMirror, store: Store, key: Path) -> None:
    mirror.documents = {url: body for url, body in mirror.documents.items() if "by-hash" not in url}
    assert read(mirror, store, key).index.repositories


def test_a_wrong_key_is_refused(mirror: MemoryMirror, store: Store, signers: dict[str, Signer]) -> None:
    with pytest.raises(
        TrustError, match="expected a signature by a key of this repository, found signatures by unknown keys"
    ):
        read(mirror, store, signers["foreign"].home / "public.gpg")


def test_no_key_is_refused_with_a_hint(mirror: MemoryMirror, store: Store) -> None:
    with pytest.raises(TrustError, match="expected a key file, found none of /nonexistent"):
        read(mirror, store, "/nonexistent")


def test_a_key_file_without_a_key_is_refused(mirror: MemoryMirror, store: Store, tmp_path: Path) -> None:
    (tmp_path / "junk").write_bytes(b"no key")
    with pytest.raises(TrustError, match="expected an OpenPGP key"):
        read(mirror, store, tmp_path / "junk")


def test_a_key_can_come_from_a_url(mirror: MemoryMirror, store: Store, key: Path) -> None:
    mirror.documents["memory://mirror/key.gpg"] = key.read_bytes()
    assert read(mirror, store, "memory://mirror/key.gpg").index.repositories


def test_a_host_without_gpg_gets_a_hint(
    mirror: MemoryMirror, store: Store, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ToolError, match="gpg"):
        read(mirror, store, key)


def test_a_second_signature_by_an_unknown_key_is_refused_in_either_order(
    mirror: MemoryMirror, store: Store, key: Path, signers: dict[str, Signer]
) -> None:
    for pair in (("archive", "foreign"), ("foreign", "archive")):
        mirror.publish(*(signers[name] for name in pair))
        with pytest.raises(TrustError, match=f"another by unknown key {signers['foreign'].fingerprint[-16:]}"):
            read(mirror, store, key)


def test_two_good_signatures_are_both_named(
    mirror: MemoryMirror, store: Store, key: Path, signers: dict[str, Signer]
) -> None:
    mirror.publish(signers["archive"], signers["second"])
    entry = read_one(mirror, store, key, signers["second"].home / "public.gpg")
    assert entry.signers == tuple(sorted(signers[name].fingerprint for name in ("archive", "second")))


def test_a_bad_signature_beside_a_good_one_is_refused(
    mirror: MemoryMirror, store: Store, key: Path, signers: dict[str, Signer]
) -> None:
    text = release_text()
    good = clear_sign(text, signers["archive"])
    body = good[: good.index(b"-----BEGIN PGP SIGNATURE")]
    other = signers["second"].gpg("--detach-sign", "--textmode", data=b"another text\n")
    mine = signers["archive"].gpg("--detach-sign", "--textmode", data=text.rstrip(b"\n"))
    armored = signers["archive"].gpg("--enarmor", data=mine + other).decode()
    lines = [line for line in armored.splitlines() if line and not line.startswith(("-----", "Comment"))]
    block = "-----BEGIN PGP SIGNATURE-----\n\n" + "\n".join(lines) + "\n-----END PGP SIGNATURE-----\n"
    mirror.documents[f"{BASE}/InRelease"] = body + block.encode()
    with pytest.raises(TrustError, match="does not match the text"):
        read(mirror, store, key, signers["second"].home / "public.gpg")


def test_an_expired_key_is_refused(mirror: MemoryMirror, store: Store, key: Path, signers: dict[str, Signer]) -> None:
    then = ("--faked-system-time", "20200102T000000")
    mirror.documents[f"{BASE}/InRelease"] = clear_sign(release_text(), signers["expired"], words=then)
    with pytest.raises(TrustError, match="expired key"):
        read(mirror, store, signers["expired"].home / "public.gpg", key)


def test_changed_text_is_refused(mirror: MemoryMirror, store: Store, key: Path) -> None:
    url = f"{BASE}/InRelease"
    mirror.documents[url] = mirror.documents[url].replace(b"Components: main", b"Components: pain")
    with pytest.raises(TrustError, match="does not match the text"):
        read(mirror, store, key)
    assert not store.root.exists(), "nothing unverified is kept"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"Suite: stable\n" + text,
        lambda text: text + b"Suite: stable\n",
        lambda text: text + text,
        lambda text: text[: text.index(b"-----BEGIN PGP SIGNATURE")],
        lambda text: text[:-100],
        lambda _: b"",
        lambda _: b"Suite: stable\n",
        lambda text: text.replace(b"-----BEGIN PGP SIGNED MESSAGE-----", b"-----BEGIN PGP MESSAGE-----"),
    ],
)
def test_text_outside_the_signature_is_refused(change: Any, mirror: MemoryMirror, store: Store, key: Path) -> None:
    url = f"{BASE}/InRelease"
    mirror.documents[url] = change(mirror.documents[url])
    with pytest.raises(TrustError):
        read(mirror, store, key)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"Suite": "testing", "Codename": "trixie"}, "expected suite stable, found testing alias trixie"),
        ({"Valid_Until": format_datetime(NOW - timedelta(hours=1))}, "valid until 2026-01-09 23:00"),
        ({"Date": format_datetime(NOW + timedelta(days=2))}, "expected a date in the past"),
        ({"Date": "yesterday"}, "expected a date in Date, found 'yesterday'"),
        ({"Date": ""}, "expected a date in Date"),
    ],
)
def test_suite_and_dates_of_the_release_are_checked(
    fields: dict[str, Any], message: str, mirror: MemoryMirror, store: Store, key: Path, signers: dict[str, Signer]
) -> None:
    mirror.publish(signers["archive"], **fields)
    with pytest.raises(TrustError, match=message):
        read(mirror, store, key)


def test_an_older_release_than_last_time_is_refused(
    mirror: MemoryMirror, store: Store, key: Path, signers: dict[str, Signer]
) -> None:
    first = read(mirror, store, key)
    mirror.publish(signers["archive"], Date=format_datetime(NOW - timedelta(days=2)))
    with pytest.raises(TrustError, match="expected metadata no older than"):
        read(mirror, store, key, previous=first)


def test_old_metadata_is_warned_about(mirror: MemoryMirror, store: Store, key: Path) -> None:
    index = read(mirror, store, key).index
    assert metadata_warnings(index, NOW) == []
    assert "main was valid until" in metadata_warnings(index, NOW + timedelta(days=7))[0]
    index = replace(index, repositories=tuple(replace(one, valid_until=None) for one in index.of(DebRepository)))
    assert metadata_warnings(index, NOW + timedelta(days=13)) == []
    found = "the index of main is 16 days old, of 2026-01-09: check that the mirror is up to date"
    assert metadata_warnings(index, NOW + timedelta(days=15)) == [found]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda data: data[:-1], TrustError),
        (lambda data: data[:-1] + b"!", TrustError),
        (lambda data: data + b"!", FetchError),
    ],
)
def test_a_changed_packages_file_is_refused(
    change: Any, error: type[Exception], mirror: MemoryMirror, store: Store, key: Path
) -> None:
    for url in [url for url in mirror.documents if "binary-amd64" in url]:
        mirror.documents[url] = change(mirror.documents[url])
    with pytest.raises(error):
        read(mirror, store, key)
    assert not store.root.exists()


def test_an_index_larger_than_announced_is_refused(
    mirror: MemoryMirror, store: Store, key: Path, signers: dict[str, Signer]
) -> None:
    text = release_text().decode().splitlines()
    lying = [line.replace(f" {len(PACKAGES)} ", " 5 ") if line.endswith("Packages") else line for line in text]
    mirror.documents[f"{BASE}/InRelease"] = clear_sign("\n".join(lying).encode(), signers["archive"])
    with pytest.raises(TrustError, match="at most 5 bytes, found more"):
        read(mirror, store, key)


def test_a_missing_component_is_named(mirror: MemoryMirror, store: Store, key: Path) -> None:
    with pytest.raises(TrustError, match="contrib/binary-amd64/Packages, found none; components: main"):
        read(mirror, store, key, components=("contrib",))


def test_an_unsigned_repository_is_read_when_the_recipe_says_so(mirror: MemoryMirror, store: Store) -> None:
    del mirror.documents[f"{BASE}/InRelease"]
    mirror.documents[f"{BASE}/Release"] = release_text()
    assert read_one(mirror, store, trusted=True).signers == ()


def test_no_agent_and_no_directory_is_left(
    mirror: MemoryMirror, store: Store, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    read(mirror, store, key)
    assert list(tmp_path.glob("oic-gpg-*")) == []
    processes = subprocess.run(["ps", "ax", "-o", "args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in processes
