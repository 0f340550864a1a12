"""Verified bytes only ever get a final name, whoever else is at work."""

from __future__ import annotations

import hashlib
import multiprocessing
import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from oic.errors import OicError, TrustError
from oic.ospackage.store import Store
from oic.values import Digest

if TYPE_CHECKING:
    from pathlib import Path

DATA = b"package"
DIGEST = Digest(hashlib.sha256(DATA).hexdigest())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_what_is_added_can_be_read_by_its_sha256(store: Store, tmp_path: Path) -> None:
    assert not store.has(DIGEST)
    assert store.add(DATA) == DIGEST
    assert store.add(DATA) == DIGEST
    assert store.has(DIGEST)
    assert store.read(DIGEST) == DATA
    path = tmp_path / "store" / "sha256" / DIGEST[:2] / DIGEST
    assert store.path(DIGEST) == path
    assert path.stat().st_mode & 0o777 == 0o444


def test_an_adopted_file_moves_in(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(DATA)
    store.adopt(file, DIGEST, len(DATA))
    assert store.read(DIGEST) == DATA
    assert store.path(DIGEST).stat().st_mode & 0o777 == 0o444
    assert not file.exists()


@pytest.mark.parametrize("found", [b"PACKAGE", b"package and more", b""])
def test_another_file_is_not_adopted_but_deleted(found: bytes, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(found)
    with pytest.raises(TrustError) as caught:
        store.adopt(file, DIGEST, len(DATA))
    expected = f"expected sha256 {DIGEST} of 7 bytes, found {hashlib.sha256(found).hexdigest()} of {len(found)} bytes"
    assert caught.value.message == expected
    assert not file.exists()
    assert not store.has(DIGEST)


def test_the_right_bytes_with_the_wrong_size_are_refused(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(DATA)
    with pytest.raises(TrustError, match="of 8 bytes, found"):
        store.adopt(file, DIGEST, 8)


def test_a_damaged_blob_is_removed(store: Store) -> None:
    store.add(DATA)
    store.path(DIGEST).chmod(0o644)
    store.path(DIGEST).write_bytes(b"altered")
    with pytest.raises(TrustError, match=f"expected sha256 {DIGEST}, found {hashlib.sha256(b'altered').hexdigest()}"):
        store.read(DIGEST)
    assert not store.has(DIGEST)
    with pytest.raises(OicError, match="found none"):
        store.read(DIGEST)


def test_a_partial_keeps_its_name_and_content(store: Store) -> None:
    with store.partial(DIGEST) as first:
        first.write_bytes(DATA[:3])
    with store.partial(DIGEST) as second:
        assert second == first
        assert second.read_bytes() == DATA[:3]
        second.write_bytes(DATA)
        store.adopt(second, DIGEST, len(DATA))
    assert store.read(DIGEST) == DATA
    assert not second.exists()


def test_an_empty_partial_leaves_no_trace(store: Store) -> None:
    with store.partial(DIGEST) as path:
        assert path.exists()
    assert not path.exists()


HOLD = """
import sys
from pathlib import Path
from oic.ospackage.store import Store
with Store(Path(sys.argv[1])).partial(sys.argv[2]) as path:
    print("held", flush=True)
    sys.stdin.readline()
    path.write_bytes(b"pack")
"""


def test_a_partial_has_one_writer_among_all_processes(store: Store) -> None:
    order = []

    def wait() -> None:
        with store.partial(DIGEST) as path:
            order.append(path.read_bytes())

    command = [sys.executable, "-c", HOLD, str(store.root), DIGEST]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        waiter = threading.Thread(target=wait)
        waiter.start()
        waiter.join(timeout=0.2)
        assert order == []
        other.stdin.write("\n")
        other.stdin.close()
        waiter.join()
    assert order == [b"pack"]


def _add_many(root: Path) -> None:
    store = Store(root)
    for number in range(50):
        data = f"blob {number}".encode()
        digest = Digest(hashlib.sha256(data).hexdigest())
        store.add(data)
        with store.partial(DIGEST) as partial:
            partial.write_bytes(DATA)
            store.adopt(partial, DIGEST, len(DATA))
        assert store.read(digest) == data


def test_processes_adding_the_same_blobs_do_not_disturb_each_other(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_add_many, args=(store.root,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    files = [path for path in store.root.rglob("*") if path.is_file()]
    assert len(files) == 51
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in files)


def test_a_cache_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    with pytest.raises(OicError, match="cannot use the cache"):
        Store(tmp_path / "store").add(DATA)
    with pytest.raises(OicError, match="cannot use the cache"), Store(tmp_path / "store").partial(DIGEST):
        pass


FULL = """
import os, sys
from pathlib import Path
from oic.errors import OicError
from oic.ospackage.store import Store
store = Store(Path(sys.argv[1]) / "store")
try:
    store.add(os.urandom(2**20))
except OicError as error:
    print(type(error).__name__, error)
store.add(b"small")
print(sum(1 for path in store.root.rglob("*") if path.is_file()))
"""


def test_a_full_disk_is_told_with_the_space_left_and_loses_nothing(tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o size=256k none "$1" && exec "$2" -c "$3" "$1"'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(tmp_path)]
    if shutil.which("unshare") is None or subprocess.run([*command[:4], "true"], check=False).returncode:
        pytest.skip("no user namespaces here: allow them, or install util-linux")
    done = subprocess.run([*command, sys.executable, FULL], check=True, capture_output=True, text=True)
    told, files = done.stdout.splitlines()
    assert told.startswith(f"FullDiskError no space left in {tmp_path} (0 MiB free) (make room")
    assert files == "1"
