"""The key files that packages are signed by: locked by digest, brought in like packages, refused when another."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from net.mirror import Mirror, Served

from oic.errors import FetchError, SolveError, TrustError
from oic.files import write_text
from oic.handover.packages import LockFile
from oic.ospackage.lock import Lock, LockedKey, LockedPackage, LockedRepository
from oic.ospackage.store import Store
from oic.runs import download as running
from oic.runs.solve import read_kept
from oic.stage import Stage
from oic.stages import download
from oic.values import Bytes, Digest, ImageName
from ospackage.asked import NOTHING_ASKED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = b"a package"


def digest(data: bytes) -> Digest:
    return Digest(hashlib.sha256(data).hexdigest())


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with Mirror() as made:
        made.answers["/signing.key"] = Served(b"a key")
        yield made


@pytest.fixture
def key(mirror: Mirror) -> LockedKey:
    return LockedKey(url=mirror.url("/signing.key"), sha256=digest(b"a key"), size=Bytes(5), fingerprints=("A" * 40,))


@pytest.fixture
def lock(tmp_path: Path, key: LockedKey) -> Lock:
    (tmp_path / "a.rpm").write_bytes(BODY)
    package = LockedPackage(
        name="a",
        version="1-1",
        architecture="noarch",
        repository="base",
        location="a.rpm",
        url=(tmp_path / "a.rpm").as_uri(),
        size=Bytes(len(BODY)),
        sha256=digest(BODY),
        essential=False,
        requested=("a",),
        requires=(),
    )
    repository = LockedRepository(
        name="base", url=tmp_path.as_uri(), suite="", components=(), signers=("A" * 40,), keys=(key,), trusted=False
    )
    return Lock(
        request=digest(b""), asked=NOTHING_ASKED, repositories=(repository,), sets={"image": (package,), "tools": ()}
    )


def write(file: Path, lock: Lock) -> None:
    write_text(file, LockFile(lock=lock).to_text())


@pytest.fixture
def stage(tmp_path: Path, lock: Lock) -> Stage[download.Slice]:
    made = Stage(
        kind=download.KIND,
        image=ImageName("small"),
        recipe=tmp_path / "small.yml",
        cache=tmp_path / "cache",
        slice=download.Slice(),
        reads=download.KIND.reads,
    )
    made.directory.mkdir(parents=True)
    write(made.path("lock.json"), lock)
    return made


def test_a_key_is_brought_into_an_empty_store(stage: Stage[download.Slice], key: LockedKey) -> None:
    assert running.run(stage).startswith("1 packages fetched")
    store = Store(stage.cache / "store")
    assert store.read(key.sha256) == b"a key"
    assert stage.path("download.json").read_text().count("store/sha256/") == 2, "a lost key is a lost artefact"


def test_a_key_that_is_there_is_not_fetched_again(stage: Stage[download.Slice], key: LockedKey, mirror: Mirror) -> None:
    Store(stage.cache / "store").add(b"a key")
    mirror.answers.clear()
    running.run(stage)
    assert Store(stage.cache / "store").has(key.sha256)


def test_a_file_of_another_host_is_not_looked_for_here(
    stage: Stage[download.Slice], lock: Lock, key: LockedKey
) -> None:
    elsewhere = replace(key, url="file:///no/such/key")
    repository = replace(lock.repositories[0], keys=(elsewhere,))
    write(stage.path("lock.json"), replace(lock, repositories=(repository,)))
    running.run(stage)
    assert not Store(stage.cache / "store").has(key.sha256)


def test_another_key_in_its_place_is_refused(stage: Stage[download.Slice], key: LockedKey, mirror: Mirror) -> None:
    mirror.answers["/signing.key"] = Served(b"b key")
    with pytest.raises(TrustError, match=r"key of base: .*expected sha256"):
        running.run(stage)
    assert not Store(stage.cache / "store").has(key.sha256)
    mirror.answers.clear()
    with pytest.raises(FetchError, match=r"key of base: .*signing"):
        running.run(stage)


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "../../escape"},
        {"size": -1},
        {"size": "5"},
        {"url": None},
        {"sha256": "AB" * 32},
        {"fingerprints": ("AB",)},
    ],
)
def test_a_kept_lock_with_an_odd_key_is_refused(change: dict[str, object], lock: Lock, tmp_path: Path) -> None:
    file = tmp_path / "small.lock.json"
    odd = replace(lock.repositories[0].keys[0], **change)
    repository = replace(lock.repositories[0], keys=(odd,))
    write(file, replace(lock, repositories=(repository,)))
    with pytest.raises(SolveError, match=f"repository 'base': keys 1: {next(iter(change))}: expected "):
        read_kept(file, "rpm")


def test_a_kept_lock_keeps_its_keys(lock: Lock, tmp_path: Path) -> None:
    write(tmp_path / "small.lock.json", lock)
    assert read_kept(tmp_path / "small.lock.json", "rpm") == lock
