"""What an installation writes: a table that sfdisk makes as we do, and blocks that are the image again."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest
import zstandard

from oic.image.compression import compress_blocks
from oic.image.disk.content import ByContent
from oic.image.disk.kinds import GPT, MBR, MIB
from oic.image.disk.raw import write_raw
from oic.image.payload import table_script

from .disks import ESP, default_disk, disk, partition
from .host import HostTools, output

if TYPE_CHECKING:
    from pathlib import Path

    from oic.config.model import Disk

SEED = "debian/debian12/small/1.0"
LAYOUTS = {
    "gpt": default_disk(),
    "names": disk(
        64 * MIB,
        [
            partition('a "b" \\ é, c=1', MIB, MIB, flags=("legacy_boot", "required")),
            partition("rest", None, None, type_uuid=ESP),
        ],
    ),
    "mbr": disk(
        64 * MIB,
        [partition("a", MIB, 8 * MIB, flags=("boot",)), partition("b", None, None)],
        "mbr",
    ),
    "logical": disk(
        64 * MIB,
        [partition(name, None, 4 * MIB) for name in "abcde"] + [partition("f", None, None)],
        "mbr",
    ),
}


def dump(path: Path) -> list[str]:
    """Return the partitions and the identifier of a disk, as sfdisk sees them."""
    lines = output("sfdisk", "--dump", path).splitlines()
    return [re.sub(rf"^{re.escape(str(path))}", "", line) for line in lines if ":" in line and "device:" not in line]


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("name", LAYOUTS)
def test_the_script_makes_the_table_of_the_raw_disk(name: str, legacy: bool, tmp_path: Path) -> None:  # noqa: FBT001
    said: Disk = LAYOUTS[name]
    layout = ByContent(disk=said, seed=SEED, is_legacy=legacy).placed({})
    write_raw(tmp_path / "raw", layout, {})
    installed = tmp_path / "installed"
    installed.write_bytes(b"")
    with installed.open("r+b") as file:
        file.truncate(layout.size)
    last = max(layout.partitions, key=lambda entry: entry.start)
    for grows in ("", last.id):
        run = subprocess.run(
            ["sfdisk", "--quiet", "--wipe=always", installed],
            input=table_script(layout, grows).encode(),
            check=False,
            capture_output=True,
        )
        assert run.returncode == 0, run.stderr
        assert [one for one in dump(installed) if "-lba" not in one] == [
            one for one in dump(tmp_path / "raw") if "-lba" not in one
        ]


@pytest.mark.parametrize("table", [GPT.name, MBR.name])
def test_the_growing_partition_fills_a_larger_disk(table: str, tmp_path: Path) -> None:
    said = LAYOUTS["gpt" if table == GPT.name else "logical"]
    layout = ByContent(disk=said, seed=SEED, is_legacy=False).placed({})
    last = max(layout.partitions, key=lambda entry: entry.start)
    installed = tmp_path / "installed"
    with installed.open("wb") as file:
        file.truncate(layout.size + 512 * MIB)
    subprocess.run(["sfdisk", "--quiet", installed], input=table_script(layout, last.id).encode(), check=True)
    (line,) = [one for one in dump(installed) if f"start={last.start:12}" in one and "type=5" not in one]
    size = int(re.findall(r"size= *(\d+)", line)[0])
    assert last.sectors + (511 << 11) <= size <= last.sectors + (512 << 11)


@pytest.mark.parametrize("holes", [True, False])
def test_the_blocks_are_the_image_again_and_zeros_are_left_out(holes: bool, tmp_path: Path) -> None:  # noqa: FBT001
    source = tmp_path / "image"
    with source.open("wb") as file:
        file.write(b"begin" * 1000)
        if holes:
            file.seek(3 * MIB)
        else:
            file.write(bytes(3 * MIB - 5000))
        file.write(b"end")
        file.truncate(5 * MIB + 7)
    work = tmp_path / "work"
    work.mkdir()
    streams = compress_blocks(source, "zstd", MIB, work, HostTools())
    assert list(streams) == [0, 3 * MIB]
    whole = bytearray(5 * MIB + 7)
    for at, path in streams.items():
        block = zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
        whole[at : at + len(block)] = block
    assert bytes(whole) == source.read_bytes()
