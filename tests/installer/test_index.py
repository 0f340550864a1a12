from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from installer.medium import MIB, Medium
from oic.installer.errors import InstallError
from oic.installer.index import parse_payload
from oic.installer.payload import State

if TYPE_CHECKING:
    from collections.abc import Callable


def said(index: Any) -> str:
    with pytest.raises(InstallError) as caught:
        parse_payload(index if isinstance(index, bytes) else json.dumps(index).encode())
    return str(caught.value)


@pytest.fixture
def index(efi_medium: Medium) -> dict[str, Any]:
    copied: dict[str, Any] = json.loads(json.dumps(efi_medium.index))
    return copied


def test_an_index_is_read(efi_medium: Medium, bios_medium: Medium) -> None:
    payload = parse_payload(json.dumps(efi_medium.index).encode())
    assert (payload.label, payload.label_id) == ("gpt", "11111111-2222-3333-4444-555555555555")
    assert [(one.id, one.number, one.image and one.image.size) for one in payload.partitions] == [
        ("boot", 1, 8 * MIB),
        ("rootfs", 2, 12 * MIB),
        ("data", 3, 8 * MIB),
    ]
    assert payload.state is None
    efi_medium.index["state"] = {"partition": "data", "directories": ["/var", "/home"]}
    state = parse_payload(json.dumps(efi_medium.index).encode()).state
    assert state == State(partition=payload.partitions[2], directories=("/var", "/home"))
    payload = parse_payload(json.dumps(bios_medium.index).encode())
    assert (payload.label, payload.label_id) == ("dos", "0x1234abcd")
    assert [(one.offset, one.image.name) for one in payload.pieces] == [(0, "code.zst"), (512, "core.zst")]


def change(*path: str | int, to: Any) -> Callable[[dict[str, Any]], None]:
    def changed(index: dict[str, Any]) -> None:
        at: Any = index
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = to

    return changed


PARTITION = "oic/payload.json.partitions"
BLOCKS = "oic/payload.json.images.rootfs.zst.blocks"


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        (change("format", to=2), "oic/payload.json: expected format 1, found 2"),
        (change("format", to="1"), "oic/payload.json.format: expected a number, found text"),
        (change("format", to=True), "oic/payload.json.format: expected a number, found true or false"),
        (change("image", to=None), "oic/payload.json.image: expected text, found null"),
        (change("image", to="a\0b"), "oic/payload.json.image: expected text, found text"),
        (change("extra", to=1), "found an object with 'extra'"),
        (change("firmware", to="uefi"), "oic/payload.json.firmware: expected one of efi, bios, found 'uefi'"),
        (change("table", to="label: gpt\n"), "expected a script of sfdisk with label and label-id, found 'gpt' and ''"),
        (change("least", to=22 * MIB), "oic/payload.json.least: expected at least 30408704 bytes, found 23068672"),
        (change("least", to=-1), "oic/payload.json.least: expected 512 to"),
        (change("partitions", to={}), f"{PARTITION}: expected a list, found an object"),
        (change("partitions", 1, to=[]), f"{PARTITION}[1]: expected an object, found a list"),
        (change("partitions", 1, "number", to=0), f"{PARTITION}[1].number: expected 1 to 128, found 0"),
        (change("partitions", 1, "number", to=1), f"{PARTITION}: expected each number once, found 1 twice"),
        (change("partitions", 1, "id", to="boot"), f"{PARTITION}: expected each id once, found boot twice"),
        (change("partitions", 1, "start", to=9 * MIB + 1), f"{PARTITION}[1]: expected whole sectors"),
        (
            change("partitions", 1, "start", to=8 * MIB),
            "expected partitions and pieces apart, found rootfs within boot",
        ),
        (change("partitions", 1, "start", to=-512), f"{PARTITION}[1].start: expected 512 to"),
        (change("partitions", 1, "size", to=11 * MIB), f"{PARTITION}[1]: expected room for 12582912 bytes, found"),
        (change("partitions", 1, "size", to=13 * MIB), "found data within rootfs"),
        (change("partitions", 1, "image", to="../rootfs.zst"), "expected one of images, found '../rootfs.zst'"),
        (change("partitions", 1, "at", to="etc"), f"{PARTITION}[1].at: expected an absolute path or none, found 'etc'"),
        (change("partitions", 1, "at", to="/../etc"), f"{PARTITION}[1].at: expected an absolute path or none"),
        (change("partitions", 1, "at", to="/srv"), "expected one that is mounted at /"),
        (change("partitions", 1, "grows", to=1), f"{PARTITION}[1].grows: expected true or false, found the number 1"),
        (change("partitions", 1, "grows", to=True), "expected the last one alone to grow, found rootfs"),
        (
            change("images", "../x", to={"size": 0, "stored": 0, "blocks": []}),
            "expected the name of a file, found '../x'",
        ),
        (change("images", ".x", to={"size": 0, "stored": 0, "blocks": []}), "expected the name of a file, found '.x'"),
        (change("images", "rootfs.zst", "size", to=MIB), "expected blocks that fill the file"),
        (change("images", "rootfs.zst", "stored", to=1), "expected blocks that fill the file"),
        (
            change("images", "rootfs.zst", "blocks", 1, "at", to=0),
            f"{BLOCKS}: expected blocks in order, found one at 0",
        ),
        (change("images", "rootfs.zst", "blocks", 1, "from", to=0), f"{BLOCKS}: expected blocks in order"),
        (
            change("images", "rootfs.zst", "blocks", 1, "size", to=0),
            f"{BLOCKS}[1].size: expected 1 to 67108864, found 0",
        ),
        (change("images", "rootfs.zst", "blocks", 1, "size", to=1 << 40), f"{BLOCKS}[1].size: expected 1 to 67108864"),
        (change("images", "rootfs.zst", "blocks", 1, "sha256", to="0" * 63), f"{BLOCKS}[1].sha256: expected a sha256"),
        (change("images", "rootfs.zst", "blocks", 1, "stored", to="G" * 64), f"{BLOCKS}[1].stored: expected a sha256"),
        (change("state", to=[]), "oic/payload.json.state: expected an object, found a list"),
        (change("state", to={"partition": ""}), "state: expected the keys partition, directories, found an object wit"),
        (change("state", to={"partition": "rootfs", "directories": []}), "one of partitions that is mounted, found 'r"),
        (change("state", to={"partition": "data", "directories": ["/.."]}), "directories of the root, found '/..'"),
        (change("state", to={"partition": "data", "directories": "/var"}), "expected a list of texts, found text"),
        (change("disk", to={}), "oic/payload.json.disk: expected the keys path, strategy, excludeRemovable"),
        (change("disk", "strategy", to="best"), "disk.strategy: expected one of '', first, largest, fastest"),
        (
            change("pieces", to=[{"offset": 512, "image": "boot.zst"}]),
            "pieces[0].offset: expected 0, or a sector behind",
        ),
        (
            change("pieces", to=[{"offset": 100, "image": "boot.zst"}]),
            "pieces[0].offset: expected 0, or a sector behind",
        ),
        (change("pieces", to=[{"offset": 0, "image": "boot.zst"}]), "expected boot code of at most 440 bytes"),
        (change("pieces", to=[{"offset": 34 * 512, "image": "boot.zst"}]), "expected partitions and pieces apart"),
    ],
)
def test_what_is_wrong_with_an_index_is_said(
    changed: Callable[[dict[str, Any]], None], found: str, index: dict[str, Any]
) -> None:
    changed(index)
    assert found in said(index)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "oic/payload.json: expected JSON, found an error"),
        (b"\xff", "oic/payload.json: expected JSON, found an error"),
        (b"[" * 100_000, "oic/payload.json: expected JSON, found an error"),
        (b'{"format": 1, "format": 1}', "a key is there twice"),
        (b"[]", "oic/payload.json: expected an object, found a list"),
        (b"{}", "oic/payload.json: expected the keys format, image"),
    ],
)
def test_what_is_no_index_is_refused(data: bytes, found: str) -> None:
    assert found in said(data)


def test_any_flipped_bits_are_refused_or_leave_a_payload_that_keeps_its_bounds(index: dict[str, Any]) -> None:
    """Whatever the medium has in its place: no other error, and nothing outside of the least disk."""
    data, chance = json.dumps(index).encode(), random.Random(7)
    read = 0
    for _ in range(1500):
        changed = bytearray(data)
        for _ in range(chance.choice((1, 1, 1, 5))):
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        try:
            payload = parse_payload(bytes(changed))
        except InstallError:
            continue
        read += 1
        for one in payload.partitions:
            assert 512 <= one.start < one.start + one.size <= payload.least
            assert one.image is None or one.image.size <= one.size
    assert read > 100  # digits of digests and letters of names
