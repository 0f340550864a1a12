"""Reads the index of the payload, ``oic/payload.json`` of the medium. Pure.

All of it was made by the build. It is read strictly all the same, because a damaged medium must not lead to a damaged
disk: each number is checked against the others, so that nothing is written outside of its place.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from .errors import InstallError
from .payload import BOOT_CODE, SECTOR, Block, DiskPolicy, Image, Partition, Payload, Piece, State
from .strict import Fields, parse_json
from .values import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

INDEX = "oic/payload.json"
MAX_INDEX = 32 << 20
MAX_BLOCK = 64 << 20
"""Of a block, plain or compressed: it is held in memory."""
_GPT_ENDS = 34 * SECTOR
"""Behind the first copy of a GPT (UEFI 2.10, section 5.3.1)."""
_LABEL_IDS = {"gpt": "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "dos": "0x[0-9a-f]{1,8}"}
_DIRECTORY = re.compile(r"/[a-z]+")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
_TOP = (
    *("format", "image", "version", "system", "firmware", "least", "table", "partitions", "pieces", "images", "disk"),
    "state",
)
_PARTITION = ("id", "number", "start", "size", "type", "at", "grows", "boots", "image")
_BLOCK = ("at", "size", "from", "length", "sha256", "stored")
_STATE = ("partition", "directories")
_DISK = ("path", "strategy", "excludeRemovable", "requireEmpty")


def parse_payload(data: bytes) -> Payload:
    """Return the payload that an index describes; raises InstallError that says what is wrong with it."""
    where = INDEX
    value = parse_json(data, where)
    found = value.get("format") if isinstance(value, dict) else None
    if isinstance(found, int) and found != 1:
        raise InstallError(f"{where}: expected format 1, found {found}", hint="the medium is of another version of oic")
    top = Fields(value, where, _TOP)
    top.number("format", least=1, most=1)
    images = {name: _image(name, fields) for name, fields in top.named("images", ("size", "stored", "blocks")).items()}
    table = top.text("table")
    label, label_id = _label(table, where)
    least = top.number("least", least=SECTOR)
    partitions = tuple(_partition(fields, images) for fields in top.items("partitions", _PARTITION))
    first = _GPT_ENDS if label == "gpt" else SECTOR
    pieces = tuple(_piece(fields, images, first) for fields in top.items("pieces", ("offset", "image")))
    disk, state = top.object("disk", _DISK), top.optional("state", _STATE)
    payload = Payload(
        image=top.text("image"),
        version=top.text("version"),
        system=top.text("system"),
        firmware=top.choice("firmware", "efi", "bios"),
        least=least,
        table=table,
        label=label,
        label_id=label_id,
        partitions=partitions,
        pieces=pieces,
        images=tuple(images.values()),
        disk=DiskPolicy(
            path=disk.text("path"),
            strategy=disk.choice("strategy", "", *STRATEGIES),
            exclude_removable=disk.truth("excludeRemovable"),
            require_empty=disk.truth("requireEmpty"),
        ),
        state=_state(state, partitions) if state else None,
    )
    _check_whole(payload)
    return payload


def _label(table: str, where: str) -> tuple[str, str]:
    """Return the kind and the identifier of the table that a script of sfdisk(8) makes."""
    head = dict(re.findall(r"^(label|label-id): *(\S+) *$", table, re.MULTILINE))
    label, label_id = head.get("label", ""), head.get("label-id", "").lower()
    if not re.fullmatch(_LABEL_IDS.get(label, "!"), label_id):
        found = f"found '{label}' and '{label_id}'"
        raise InstallError(f"{where}.table: expected a script of sfdisk with label and label-id, {found}")
    return label, label_id


def _image(name: str, fields: Fields) -> Image:
    if not _NAME.fullmatch(name):
        raise InstallError(f"{fields.where}: expected the name of a file, found {name!r}")
    size, stored = fields.number("size"), fields.number("stored")
    blocks = tuple(_block(one) for one in fields.items("blocks", _BLOCK))
    ends = [(0, 0), *((block.at + block.size, block.offset + block.length) for block in blocks)]
    for (plain, packed), block in zip(ends, blocks, strict=False):
        if block.at < plain or block.offset != packed:
            raise InstallError(f"{fields.where}.blocks: expected blocks in order, found one at {block.at}")
    if ends[-1][0] > size or ends[-1][1] != stored:
        raise InstallError(f"{fields.where}: expected blocks that fill the file, found {ends[-1][1]} of {stored} bytes")
    return Image(name=name, size=size, stored=stored, blocks=blocks)


def _block(fields: Fields) -> Block:
    return Block(
        at=fields.number("at"),
        size=fields.number("size", least=1, most=MAX_BLOCK),
        offset=fields.number("from"),
        length=fields.number("length", least=1, most=MAX_BLOCK),
        sha256=fields.digest("sha256"),
        stored=fields.digest("stored"),
    )


def _chosen(fields: Fields, images: dict[str, Image]) -> Image:
    name = fields.text("image")
    if name not in images:
        raise InstallError(f"{fields.where}.image: expected one of images, found {name!r}")
    return images[name]


def _partition(fields: Fields, images: dict[str, Image]) -> Partition:
    at = fields.text("at")
    if at and (not at.startswith("/") or ".." in at.split("/")):
        raise InstallError(f"{fields.where}.at: expected an absolute path or none, found {at!r}")
    found = Partition(
        id=fields.text("id"),
        number=fields.number("number", least=1, most=128),
        start=fields.number("start", least=SECTOR),
        size=fields.number("size", least=SECTOR),
        type=fields.text("type"),
        at=at,
        grows=fields.truth("grows"),
        boots=fields.truth("boots"),
        image=_chosen(fields, images) if fields.text("image") else None,
    )
    if found.start % SECTOR or found.size % SECTOR:
        raise InstallError(f"{fields.where}: expected whole sectors, found {found.size} bytes at {found.start}")
    if found.image and found.image.size > found.size:
        raise InstallError(f"{fields.where}: expected room for {found.image.size} bytes, found {found.size}")
    return found


def _state(fields: Fields, partitions: Sequence[Partition]) -> State:
    name, directories = fields.text("partition"), fields.texts("directories")
    found = next((one for one in partitions if one.id == name and one.image and one.at not in ("", "/")), None)
    if name and found is None:
        raise InstallError(f"{fields.where}.partition: expected one of partitions that is mounted, found {name!r}")
    for path in directories:
        if not _DIRECTORY.fullmatch(path):
            raise InstallError(f"{fields.where}.directories: expected directories of the root, found {path!r}")
    return State(partition=found, directories=directories)


def _piece(fields: Fields, images: dict[str, Image], first: int) -> Piece:
    found = Piece(offset=fields.number("offset"), image=_chosen(fields, images))
    if found.offset and (found.offset < first or found.offset % SECTOR):
        raise InstallError(f"{fields.where}.offset: expected 0, or a sector behind the table, found {found.offset}")
    if not found.offset and found.image.size > BOOT_CODE:
        raise InstallError(f"{fields.where}: expected boot code of at most {BOOT_CODE} bytes, found {found.image.size}")
    return found


def _check_whole(payload: Payload) -> None:
    """Raise InstallError for parts that do not go together."""
    for what in ("number", "id"):
        values = [getattr(one, what) for one in payload.partitions]
        if twice := [value for value in values if values.count(value) > 1]:
            raise InstallError(f"{INDEX}.partitions: expected each {what} once, found {twice[0]} twice")
    spans = [(one.start, one.start + one.size, one.id) for one in payload.partitions]
    spans += [(one.offset, one.offset + one.image.size, one.image.name) for one in payload.pieces if one.image.size]
    inside = _overlap(spans)
    if inside:
        raise InstallError(f"{INDEX}: expected partitions and pieces apart, found {inside}")
    end = max((end for _, end, _ in spans), default=0)
    if end > payload.least:
        raise InstallError(f"{INDEX}.least: expected at least {end} bytes, found {payload.least}")
    growing = [one for one in payload.partitions if one.grows]
    if len(growing) > 1 or (growing and growing[0].start != max(one.start for one in payload.partitions)):
        raise InstallError(f"{INDEX}.partitions: expected the last one alone to grow, found {growing[0].id}")
    if len([one for one in payload.partitions if one.at == "/"]) != 1:
        raise InstallError(f"{INDEX}.partitions: expected one that is mounted at /")


def _overlap(spans: Iterable[tuple[int, int, str]]) -> str:
    for before, after in pairwise(sorted(spans)):
        if after[0] < before[1]:
            return f"{after[2]} within {before[2]}"
    return ""
