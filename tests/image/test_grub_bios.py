"""GRUB for a BIOS: where its core image lies, and what its two images say of that, held against GRUB's own programs."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from oic.errors import OicError, RecipeError
from oic.image.boot.grub.embed import boot_code, core_image
from oic.image.disk.bios import BIOS_BOOT, LEAST, core_place, with_core_place
from oic.image.disk.geometry import layout
from oic.image.disk.kinds import GPT, MBR, MIB
from oic.image.disk.raw import write_raw
from oic.image.tools import reproducible_env
from oic.values import Sector

from .disks import default_disk, disk, partition
from .host import HostTools, output

MODULES = Path("/usr/lib/grub/i386-pc")
BOOT_IMAGE = MODULES / "boot.img"

needs_grub = pytest.mark.skipif(not BOOT_IMAGE.exists(), reason="needs GRUB's files: install grub-pc-bin")


def made_core(place: Path) -> bytes:
    argv = [
        "grub-mkimage",
        "-O",
        "i386-pc",
        "-p",
        "(,gpt2)/boot/grub",
        "-o",
        str(place),
        "biosdisk",
        "part_gpt",
        "ext2",
    ]
    HostTools().run(argv, env=reproducible_env(0))
    return place.read_bytes()


@needs_grub
def test_at_sector_1_the_core_image_is_what_grub_made_it_for(tmp_path: Path) -> None:
    core = made_core(tmp_path / "core")
    image = core_image(core, Sector(1), 2047)
    assert image == core.ljust(-(-len(core) // 512) * 512, b"\0")
    assert core == made_core(tmp_path / "again")
    assert len(image) // 512 * 4 <= LEAST


@needs_grub
@given(st.integers(1, 1 << 40).map(Sector))
def test_a_core_image_elsewhere_differs_in_where_its_rest_is(sector: Sector) -> None:
    core = bytes(512 - 12) + b"\2" + bytes(11) + bytes(range(256)) * 8
    image = core_image(core, sector, 1 << 30)
    assert struct.unpack_from("<QHH", image, 500) == (sector + 1, len(image) // 512 - 1, 0x820)
    assert image[:500] == core[:500]
    assert image[512:] == core[512:]
    code = boot_code(BOOT_IMAGE.read_bytes(), sector)
    assert struct.unpack_from("<Q", code, 0x5C) == (sector,)


@needs_grub
def test_the_boot_code_is_grubs_but_for_the_floppy_probe() -> None:
    original = BOOT_IMAGE.read_bytes()
    code = boot_code(original, Sector(1))
    assert len(code) == 440
    assert {at for at in range(440) if code[at] != original[at]} == {0x66, 0x67}
    assert original[0x66] == 0xEB, "a short jump over the check of the drive"


def test_what_is_no_boot_image_or_no_core_image_is_refused() -> None:
    with pytest.raises(OicError, match=r"boot\.img of 512 bytes"):
        boot_code(bytes(512), Sector(1))
    with pytest.raises(OicError, match="core image of GRUB of two sectors"):
        core_image(b"short", Sector(1), 100)


def test_a_core_image_without_room_is_refused_with_the_figures() -> None:
    with pytest.raises(
        OicError, match=r"takes 3 sectors, the disk has 2 for it \(let the first partition begin at 1 MiB"
    ):
        core_image(bytes(3 * 512), Sector(1), 2)


def test_a_gpt_gets_a_partition_for_it_in_front_of_the_first_and_the_others_keep_their_numbers() -> None:
    placed = layout(default_disk(), "seed", GPT)
    added = with_core_place(placed, GPT, "seed")
    assert added.partitions[:-1] == placed.partitions
    last = added.partitions[-1]
    assert (last.index, last.start, last.start + last.sectors, last.type) == (5, 34, 2048, BIOS_BOOT)
    place = core_place(added, GPT)
    assert (place.sector, place.sectors, place.partition) == (34, 2014, "bios-boot")


def test_the_recipes_own_partition_for_it_is_taken() -> None:
    entries = [partition("bios", 5 * MIB, MIB, type_uuid=str(BIOS_BOOT)), partition("bios-boot", 8 * MIB, None)]
    placed = layout(disk(64 * MIB, entries), "seed", GPT)
    assert with_core_place(placed, GPT, "seed") == placed
    assert core_place(placed, GPT).partition == "bios"


def test_an_id_that_is_taken_is_no_obstacle() -> None:
    placed = layout(disk(64 * MIB, [partition("bios-boot", MIB, None)]), "seed", GPT)
    assert with_core_place(placed, GPT, "seed").partitions[-1].id == "bios-boot-0"


def test_a_full_table_is_refused() -> None:
    entries = [partition(f"p{number}", None, MIB) for number in range(128)]
    placed = layout(disk(256 * MIB, entries), "seed", GPT)
    with pytest.raises(RecipeError, match="at most 127 beside the one that GRUB needs for a BIOS, found 128"):
        with_core_place(placed, GPT, "seed")


def test_an_mbr_has_it_in_the_gap_and_one_without_a_gap_is_refused() -> None:
    placed = layout(disk(64 * MIB, [partition("root", MIB, None)], table="mbr"), "seed", MBR)
    assert with_core_place(placed, MBR, "seed") == placed
    place = core_place(placed, MBR)
    assert (place.sector, place.sectors, place.partition) == (1, 2047, "")
    assert place.offset == 512
    early = replace(placed, partitions=(replace(placed.partitions[0], start=Sector(63)),))
    with pytest.raises(RecipeError, match="found 62: let it begin at 1 MiB"):
        core_place(early, MBR)


def test_boot_code_and_core_lie_where_they_belong_and_the_table_stays_whole(tmp_path: Path) -> None:
    placed = with_core_place(layout(disk(64 * MIB, [partition("root", MIB, None)]), "seed", GPT), GPT, "seed")
    (tmp_path / "code").write_bytes(b"C" * 440)
    (tmp_path / "core").write_bytes(b"K" * 1024)
    write_raw(tmp_path / "disk", placed, {"bios-boot": tmp_path / "core"}, {0: tmp_path / "code"})
    whole = (tmp_path / "disk").read_bytes()
    assert whole[:446] == b"C" * 440 + bytes(6)
    assert whole[34 * 512 : 36 * 512] == b"K" * 1024
    assert "No errors detected." in output("sfdisk", "--verify", tmp_path / "disk")
    table = json.loads(output("sfdisk", "--json", tmp_path / "disk"))["partitiontable"]["partitions"]
    assert [(entry["start"], entry["type"].lower() == BIOS_BOOT) for entry in table] == [(2048, False), (34, True)]


@pytest.mark.parametrize(("offset", "size"), [(0, 441), (440, 1), (512, 512), (2048 * 512 - 1, 2), (63 * MIB, 1)])
def test_a_piece_that_would_hurt_table_or_partition_is_refused(tmp_path: Path, offset: int, size: int) -> None:
    (tmp_path / "piece").write_bytes(bytes(size))
    placed = layout(disk(64 * MIB, [partition("root", MIB, None)]), "seed", GPT)
    with pytest.raises(OicError, match="outside table and partitions"):
        write_raw(tmp_path / "disk", placed, {}, {offset: tmp_path / "piece"})
    assert not (tmp_path / "disk").exists()
