"""The disk that is converted is the one that the raw file would be, whether there is to be a raw file or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from image.disks import default_disk

from oic.files import write_text
from oic.handover.disk import BootFiles, Converted, DiskPiece, FileSystems, PartitionImage, RawDisk
from oic.handover.tree import Artefact
from oic.image.disk.geometry import layout
from oic.image.disk.kinds import BOOT_CODE, GPT
from oic.runs import convert as converting
from oic.runs import disk as writing
from oic.stage import Stage
from oic.stages import convert, disk
from oic.values import Bytes, Digest, ImageName

if TYPE_CHECKING:
    from pathlib import Path

    from oic.image.disk.placed import Layout

PLACED: Layout = layout(default_disk(), "seed", GPT)
OTHER: Layout = layout(default_disk(), "another", GPT)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Return a cache with what file systems and boot loader came to: two partitions, and boot code outside them."""
    place = tmp_path / "small"
    place.mkdir()
    images = {}
    for entry in PLACED.partitions[:2]:
        (place / f"{entry.id}.img").write_bytes(entry.id.encode() * 1000)
        images[entry.id] = PartitionImage(
            id=entry.id, path=f"small/{entry.id}.img", size=entry.size, digest=Digest("0" * 64)
        )
    code = b"\xeb" * BOOT_CODE
    (place / "boot-code.img").write_bytes(code)
    first, second = images.values()
    write_text(place / FileSystems.FILE, FileSystems(images=(first,)).to_text())
    boot = BootFiles(
        command_line="",
        kernels=(),
        images=(second,),
        pieces=(DiskPiece(offset=Bytes(0), file=Artefact.of("small/boot-code.img", code)),),
        tree=None,
    )
    write_text(place / BootFiles.FILE, boot.to_text())
    return tmp_path


def stage_of(kind: Any, part: Any, cache: Path, *reads: Any) -> Stage[Any]:
    return Stage(kind=kind, image=ImageName("small"), recipe=cache, cache=cache, slice=part, reads=reads)


def test_a_disk_without_a_raw_file_is_the_same_disk(cache: Path, tmp_path: Path) -> None:
    whole = stage_of(disk.KIND, disk.Slice(layout=PLACED, file="small.raw"), cache, FileSystems, BootFiles)
    writing.run(whole)
    alone = stage_of(convert.KIND, convert.Slice(conversions=(), layout=PLACED), cache, *convert.WITHOUT_RAW)
    _, digest, partitions = converting._disk(alone, tmp_path, None)
    (made,) = whole.written()
    assert isinstance(made, RawDisk)
    assert (digest, partitions) == (made.raw.file.sha256, made.partitions)
    with whole.path("small.raw").open("rb") as raw:
        assert raw.read(BOOT_CODE) == b"\xeb" * BOOT_CODE


def test_a_disk_of_the_same_parts_is_not_put_together_again(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = stage_of(convert.KIND, convert.Slice(conversions=(), layout=PLACED), cache, *convert.WITHOUT_RAW)
    _, digest, partitions = converting._disk(alone, tmp_path, None)
    parts = converting._parts(alone)
    alone.write(Converted(products=(), made_of=(), partitions=partitions, parts=parts, disk=digest))
    monkeypatch.setattr(converting, "write_disk", None)
    assert converting._disk(alone, tmp_path, converting._written(alone)) == (None, digest, partitions)
    other = stage_of(convert.KIND, convert.Slice(conversions=(), layout=OTHER), cache, *convert.WITHOUT_RAW)
    assert converting._parts(other) != parts
