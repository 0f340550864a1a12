"""The boot test takes the artefact that needs the least work, and unpacks one that is only there compressed."""

from __future__ import annotations

import bz2
import gzip
import lzma
from typing import TYPE_CHECKING

import pytest
import zstandard

from oic.boottest.artefact import boot_disk
from oic.boottest.failure import BootError
from oic.handover.disk import Product
from oic.handover.tree import Artefact

if TYPE_CHECKING:
    from pathlib import Path

DATA = b"oic\n" * 300_000 + bytes(3 << 20)


def product(form: str, compression: str = "") -> Product:
    name = f"a.{form}.{compression}" if compression else f"a.{form}"
    return Product(format=form, compression=compression, file=Artefact.of(name, b""))


@pytest.mark.parametrize(
    ("products", "chosen"),
    [
        ([product("qcow2"), product("raw")], "a.raw"),
        ([product("raw", "gz"), product("vhd")], "a.vhd"),
        ([product("tar"), product("vmdk")], "a.vmdk"),
    ],
)
def test_the_raw_file_comes_first_then_what_is_not_compressed(
    products: list[Product], chosen: str, tmp_path: Path
) -> None:
    with boot_disk(products, tmp_path, tmp_path / "work") as disk:
        assert disk.path == tmp_path / chosen


def test_qemu_is_told_its_own_name_of_the_format(tmp_path: Path) -> None:
    with boot_disk([product("vhd")], tmp_path, tmp_path) as disk:
        assert disk.format == "vpc"


@pytest.mark.parametrize("compression", ["gz", "xz", "bz2", "zstd"])
def test_a_compressed_disk_of_several_streams_is_unpacked_for_the_test_alone(compression: str, tmp_path: Path) -> None:
    packers = {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress, "zstd": zstandard.compress}
    half = len(DATA) // 2
    streams = [packers[compression](piece) for piece in (DATA[:half], DATA[half:])]  # type: ignore[operator]
    (tmp_path / f"a.raw.{compression}").write_bytes(b"".join(streams))
    with boot_disk([product("raw", compression)], tmp_path, tmp_path / "work") as disk:
        assert (disk.path.read_bytes(), disk.format) == (DATA, "raw")
    assert not disk.path.exists()


def test_an_image_without_a_disk_cannot_be_booted(tmp_path: Path) -> None:
    with (
        pytest.raises(BootError, match="expected an artefact that is a disk"),
        boot_disk([product("tar")], tmp_path, tmp_path),
    ):
        pass
