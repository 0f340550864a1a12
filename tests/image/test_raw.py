"""Whole disks: table, content and holes, read back by sfdisk, e2fsck and plain reading."""

import hashlib
import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oic.errors import OicError
from oic.files import digest_of_file
from oic.image.disk.geometry import layout
from oic.image.disk.kinds import GPT, MIB
from oic.image.disk.raw import sha256_of_span, write_raw

from .disks import disk, partition
from .host import output

PARTITIONS = [partition("a", None, 10 * MIB), partition("b", None, 20 * MIB), partition("c", None, None)]
DISK = layout(disk(64 * MIB, PARTITIONS), "s", GPT)


def _image(path: Path, stretches: list[tuple[int, bytes]], size: int) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
        for at, content in stretches:
            file.seek(at)
            file.write(content)
    return path


def test_images_lie_where_the_table_says(tmp_path: Path) -> None:
    a = _image(tmp_path / "a", [(0, b"begin"), (10 * MIB - 3, b"end")], 10 * MIB)
    b = _image(tmp_path / "b", [(5 * MIB, os.urandom(3 * MIB + 1))], 15 * MIB)
    record = write_raw(tmp_path / "disk", DISK, {"a": a, "b": b})
    table = json.loads(output("sfdisk", "--json", tmp_path / "disk"))["partitiontable"]["partitions"]
    assert "No errors detected." in output("sfdisk", "--verify", tmp_path / "disk")
    whole = (tmp_path / "disk").read_bytes()
    for entry, image, written in zip(table, [a.read_bytes(), b.read_bytes(), b""], record.partitions, strict=True):
        found = whole[entry["start"] * 512 : (entry["start"] + entry["size"]) * 512]
        assert found == image.ljust(entry["size"] * 512, b"\0")
        assert written.sha256 == hashlib.sha256(found).hexdigest()
        assert (written.offset, written.size) == (entry["start"] * 512, entry["size"] * 512)
    assert record.sha256 == hashlib.sha256(whole).hexdigest()
    assert record.size == len(whole) == 64 * MIB


def test_holes_stay_holes(tmp_path: Path) -> None:
    image = _image(tmp_path / "image", [(100 * MIB, b"x" * MIB)], 200 * MIB)
    record = write_raw(tmp_path / "disk", layout(disk(210 * MIB, [partition("a", None, None)]), "s", GPT), {"a": image})
    assert (tmp_path / "disk").stat().st_blocks * 512 < 2 * MIB
    assert record.sha256 == digest_of_file(tmp_path / "disk")


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="needs a second file system: /dev/shm")
def test_an_image_from_another_file_system_is_copied_all_the_same(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="oic-test-") as there:
        image = _image(Path(there, "image"), [(MIB, os.urandom(3 * MIB + 17))], 10 * MIB)
        record = write_raw(tmp_path / "disk", DISK, {"a": image})
        assert record.partitions[0].sha256 == digest_of_file(image)


def test_the_same_images_give_the_same_disk(tmp_path: Path) -> None:
    sparse = _image(tmp_path / "sparse", [(3 * MIB, b"x")], 10 * MIB)
    dense = tmp_path / "dense"
    dense.write_bytes(sparse.read_bytes())
    assert write_raw(tmp_path / "one", DISK, {"a": sparse}) == write_raw(tmp_path / "two", DISK, {"a": dense})
    assert digest_of_file(tmp_path / "one") == digest_of_file(tmp_path / "two")


def test_an_image_that_has_no_place_is_refused_and_nothing_left(tmp_path: Path) -> None:
    long = _image(tmp_path / "long", [], 10 * MIB + 1)
    with pytest.raises(OicError, match=r"long: expected at most 10485760 bytes for partition 'a', found 10485761"):
        write_raw(tmp_path / "disk", DISK, {"a": long})
    with pytest.raises(OicError, match="expected an image of one of the partitions a, b, c, found one of 'x'"):
        write_raw(tmp_path / "disk", DISK, {"x": long})
    with pytest.raises(FileNotFoundError):
        write_raw(tmp_path / "disk", DISK, {"a": tmp_path / "none"})
    assert [path.name for path in tmp_path.iterdir()] == ["long"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stretches=st.lists(st.tuples(st.integers(0, 3 * MIB), st.binary(min_size=1, max_size=9000)), max_size=5),
    start=st.integers(0, MIB),
    size=st.integers(0, 2 * MIB),
)
def test_a_span_is_hashed_as_if_it_had_been_read(
    tmp_path: Path, stretches: list[tuple[int, bytes]], start: int, size: int
) -> None:
    path = _image(tmp_path / "file", stretches, 4 * MIB)
    assert sha256_of_span(path, start, size) == hashlib.sha256(path.read_bytes()[start : start + size]).hexdigest()
