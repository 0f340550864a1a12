"""Which files of a tree are read for private keys: what was written while it was made, and what nobody lists."""

from __future__ import annotations

import hashlib
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from oic.chroot import namespace
from oic.image.tree import drawn
from oic.process import child

if TYPE_CHECKING:
    from pathlib import Path

EPOCH, BEFORE = 2000, 1000


@pytest.fixture
def key(tmp_path: Path) -> bytes:
    file = tmp_path / "key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ED25519", "-out", str(file)], check=True)
    return file.read_bytes()


def _tree(root: Path, files: dict[str, bytes], *, at: int = EPOCH) -> Path:
    for name, content in files.items():
        path = root / name[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (at, at))
    return root


def _found(root: Path, listed: dict[str, str] | None = None) -> set[str]:
    """Return the keys found; `listed` are a package's paths with their sums."""
    known = listed or {}
    return {*namespace.call(child.inside, root, drawn.private_keys, frozenset(known), known, {EPOCH})}


def test_a_key_that_nobody_lists_is_found_whenever_its_time_is(key: bytes, tmp_path: Path) -> None:
    root = _tree(tmp_path / "root", {"/etc/a.key": key, "/etc/text": b"text\n"})
    _tree(root, {"/opt/b": key}, at=BEFORE)
    assert _found(root) == {"/etc/a.key", "/opt/b"}


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_an_unchanged_key_of_a_package_belongs_to_the_package(key: bytes, algorithm: str, tmp_path: Path) -> None:
    root = _tree(tmp_path / "root", {"/usr/share/example.key": key}, at=BEFORE)
    assert _found(root, {"/usr/share/example.key": ""}) == set(), "it was not written here"
    _tree(root, {"/usr/share/example.key": key})
    assert _found(root, {"/usr/share/example.key": f"{algorithm}:{hashlib.new(algorithm, key).hexdigest()}"}) == set()


def test_a_listed_file_that_a_script_wrote_into_is_not_its_packages(key: bytes, tmp_path: Path) -> None:
    root = _tree(tmp_path / "root", {"/etc/ident.key": key})
    assert _found(root, {"/etc/ident.key": f"sha256:{hashlib.sha256(b'').hexdigest()}"}) == {"/etc/ident.key"}
    assert _found(root, {"/etc/ident.key": ""}) == {"/etc/ident.key"}


def test_links_pipes_and_large_files_are_no_trouble(key: bytes, tmp_path: Path) -> None:
    root = _tree(
        tmp_path / "root", {"/etc/a.key": key, "/var/large": key + bytes(8 << 20), "/var/late": bytes(8 << 20) + key}
    )
    (root / "etc/link").symlink_to("a.key")
    (root / "etc/out").symlink_to("/proc/self/environ")
    os.mkfifo(root / "etc/pipe")
    assert _found(root) == {"/etc/a.key", "/var/large"}


def test_a_key_that_was_removed_or_replaced_is_not_there_any_more(key: bytes, tmp_path: Path) -> None:
    root = _tree(tmp_path / "root", {"/etc/a": key, "/etc/b": b"text\n", "/etc/d": key})
    (root / "etc/c").symlink_to("a")
    paths = ["/etc/a", "/etc/b", "/etc/c", "/etc/gone"]
    assert namespace.call(child.inside, root, drawn.still_there, paths) == ["/etc/a"]
