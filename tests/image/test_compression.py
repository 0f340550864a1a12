"""Compressed files: every common program reads them, and no bit depends on the machine."""

from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING

import pytest

from oic.errors import ToolError
from oic.image import compression
from oic.image.compression import COMPRESSIONS, Compression, compress

from .host import HostTools, output

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
READERS = {"gz": "gzip", "xz": "xz", "zstd": "zstd", "bz2": "bzip2"}


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "PIECE", MIB)


def disk(path: Path, *, holes: bool = True) -> Path:
    """Write a disk of four pieces and a half: data, a hole of two, data, half a hole."""
    with path.open("wb") as file:
        file.write(bytes(range(256)) * 4096)
        if holes:
            file.seek(2 * MIB, 1)
        else:
            file.write(bytes(2 * MIB))
        file.write(b"oic\n" * (MIB // 4))
        if holes:
            file.truncate(4 * MIB + MIB // 2)
        else:
            file.write(bytes(MIB // 2))
    return path


def compressed(source: Path, word: str, place: str) -> bytes:
    work = source.parent / place
    work.mkdir()
    target = source.parent / f"{place}.out"
    compress(source, target, word, work, HostTools(), seen=source)
    return target.read_bytes()


@pytest.mark.parametrize("word", COMPRESSIONS)
def test_the_usual_program_gets_the_same_file_back(word: str, tmp_path: Path) -> None:
    source = disk(tmp_path / "disk")
    packed = tmp_path / f"packed.{COMPRESSIONS[word].ending}"
    packed.write_bytes(compressed(source, word, "work"))
    output(READERS[word], "-dk", str(packed))
    assert (tmp_path / "packed").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("word", COMPRESSIONS)
@pytest.mark.parametrize("size", [0, 1, MIB, MIB + 1])
def test_a_file_of_any_size_comes_back(word: str, size: int, tmp_path: Path) -> None:
    source, packed = tmp_path / "source", tmp_path / f"packed.{COMPRESSIONS[word].ending}"
    source.write_bytes(os.urandom(size))
    packed.write_bytes(compressed(source, word, "work"))
    output(READERS[word], "-dk", str(packed))
    assert (tmp_path / "packed").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("word", COMPRESSIONS)
def test_how_many_processors_there_are_changes_nothing(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = disk(tmp_path / "disk")
    found = []
    for count in (1, 3):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _pid, count=count: set(range(count)))
        found.append(compressed(source, word, f"work-{count}"))
    assert found[0] == found[1]


@pytest.mark.parametrize("word", COMPRESSIONS)
def test_a_hole_is_as_good_as_zeros(word: str, tmp_path: Path) -> None:
    sparse, full = disk(tmp_path / "sparse"), disk(tmp_path / "full", holes=False)
    assert sparse.read_bytes() == full.read_bytes()
    assert compressed(sparse, word, "one") == compressed(full, word, "two")


@pytest.mark.parametrize("name", ["My Images", "it's", 'a "b" $c', "-n"])
def test_a_directory_may_have_any_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    source = disk(tmp_path / name / "disk.raw")
    packed = compressed(source, "gz", "work")
    assert gzip.decompress(packed) == source.read_bytes()


def test_a_program_that_fails_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMPRESSIONS, "gz", Compression(ending="gz", argv=("false",)))
    with pytest.raises(ToolError):
        compressed(disk(tmp_path / "disk"), "gz", "work")


def test_holes_of_one_length_are_compressed_once(tmp_path: Path) -> None:
    source = tmp_path / "disk"
    with source.open("wb") as file:
        file.truncate(64 * MIB)
    compressed(source, "gz", "work")
    streams = [path.name for path in (tmp_path / "work").iterdir() if path.name.startswith(("data-", "zeros-"))]
    assert streams == [f"zeros-{MIB}"]
