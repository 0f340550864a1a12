"""Media that are made up: real file systems, compressed block by block as the build does it, with their index."""

from __future__ import annotations

import hashlib
import json
import subprocess
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
BLOCK = MIB
ESP, ROOT, DATA = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "L"
LABEL_ID = "11111111-2222-3333-4444-555555555555"


@dataclass
class Medium:
    """A medium's directory, the plain images that are on it by name, and its index."""

    path: Path
    plain: dict[str, bytes] = field(default_factory=dict)
    index: dict[str, Any] = field(default_factory=dict)

    def save(self) -> None:
        """Write the index."""
        (self.path / "oic/payload.json").write_text(json.dumps(self.index))

    def reload(self) -> None:
        """Read the index as it was saved."""
        self.index = json.loads((self.path / "oic/payload.json").read_text())

    def add(self, name: str, plain: bytes, block: int = BLOCK) -> str:
        """Store an image and return its name."""
        blocks, stored = [], b""
        for at in range(0, len(plain), block):
            data = plain[at : at + block]
            if not any(data):
                continue
            packed = compressed(data)
            blocks.append(
                {
                    "at": at,
                    "size": len(data),
                    "from": len(stored),
                    "length": len(packed),
                    "sha256": hashlib.sha256(data).hexdigest(),
                    "stored": hashlib.sha256(packed).hexdigest(),
                }
            )
            stored += packed
        (self.path / "oic/payload").mkdir(parents=True, exist_ok=True)
        (self.path / "oic/payload" / name).write_bytes(stored)
        self.plain[name] = plain
        self.index["images"][name] = {"size": len(plain), "stored": len(stored), "blocks": blocks}
        return name


def compressed(data: bytes) -> bytes:
    """Return a frame as the zstd program makes it."""
    return subprocess.run(["zstd", "-qc"], input=data, stdout=subprocess.PIPE, check=True).stdout


def ext4(folder: Path, size: int, files: dict[str, bytes], kind: str = "ext4") -> bytes:
    """Return a file system with some files."""
    tree = folder / "tree"
    for name, data in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(data)
    image = folder / "image"
    with image.open("wb") as file:
        file.truncate(size)
    argv = [
        f"mkfs.{kind}",
        "-q",
        "-d",
        str(tree),
        "-U",
        str(uuid.UUID(int=7)),
        "-E",
        "hash_seed=" + str(uuid.UUID(int=8)),
    ]
    subprocess.run([*argv, str(image)], check=True, capture_output=True)
    return image.read_bytes()


def fat(folder: Path, size: int, files: dict[str, bytes]) -> bytes:
    """Return a FAT file system with some files in its top directory."""
    image = folder / "esp"
    with image.open("wb") as file:
        file.truncate(size)
    subprocess.run(["mkfs.vfat", "-i", "12345678", "--invariant", str(image)], check=True, capture_output=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
        subprocess.run(["mcopy", "-i", str(image), str(folder / name), "::"], check=True, capture_output=True)
    return image.read_bytes()


def make_efi(folder: Path, *, root: bytes | None = None) -> Medium:
    """Return the medium of an image with an ESP, a root, and a growing partition for data."""
    medium = Medium(folder / "medium")
    (folder / "made").mkdir(parents=True)
    noise = hashlib.shake_256(b"kernel").digest(3 * MIB)
    medium.index = _index("edge", "efi", 40 * MIB)
    medium.index["table"] = (
        f"label: gpt\nlabel-id: {LABEL_ID}\nunit: sectors\nfirst-lba: 34\n\n"
        f'1 : start=2048, size=16384, type={ESP}, uuid={uuid.UUID(int=1)}, name="boot"\n'
        f'2 : start=18432, size=24576, type={ROOT}, uuid={uuid.UUID(int=2)}, name="rootfs"\n'
        f'3 : start=43008, type={DATA}, uuid={uuid.UUID(int=3)}, name="data"\n'
    )
    boot = medium.add("boot.zst", fat(folder / "made", 8 * MIB, {"BOOTX64.EFI": noise}))
    tree = {"etc/hostname": b"edge\n", "usr/bin/tool": hashlib.shake_256(b"tool").digest(2 * MIB)}
    rootfs = medium.add("rootfs.zst", root or ext4(folder / "made", 12 * MIB, tree))
    (folder / "made/data").mkdir()
    data = medium.add("data.zst", ext4(folder / "made/data", 8 * MIB, {"readme": b"hello\n"}))
    medium.index["partitions"] = [
        _partition("boot", 1, 1 * MIB, 8 * MIB, "fat32", "/boot/efi", boot, boots=True),
        _partition("rootfs", 2, 9 * MIB, 12 * MIB, "ext4", "/", rootfs),
        _partition("data", 3, 21 * MIB, 8 * MIB, "ext4", "/opt", data, grows=True),
    ]
    medium.save()
    return medium


def make_bios(folder: Path) -> Medium:
    """Return the medium of an image with an MBR, five partitions and boot code in front of them."""
    medium = Medium(folder / "medium")
    (folder / "made").mkdir(parents=True)
    medium.index = _index("box", "bios", 40 * MIB)
    medium.index["table"] = (
        "label: dos\nlabel-id: 0x1234abcd\nunit: sectors\n\n"
        "1 : start=2048, size=16384, type=83, bootable\n"
        "2 : start=18432, size=2048, type=83\n"
        "3 : start=20480, size=2048, type=82\n"
        "4 : start=22528, type=5\n"
        "5 : start=24576, size=2048, type=83\n"
        "6 : start=28672, type=83\n"
    )
    rootfs = medium.add("rootfs.zst", ext4(folder / "made", 8 * MIB, {"etc/hostname": b"box\n"}))
    (folder / "made/data").mkdir()
    data = medium.add("data.zst", ext4(folder / "made/data", 4 * MIB, {"readme": b"hello\n"}))
    code = medium.add("code.zst", b"\xeb\x63\x90" + bytes(range(200)) * 2 + b"\x01" * 37)
    core = medium.add("core.zst", hashlib.shake_256(b"core").digest(40_000))
    medium.index["partitions"] = [
        _partition("rootfs", 1, 1 * MIB, 8 * MIB, "ext4", "/", rootfs),
        _partition("second", 2, 9 * MIB, MIB, "", "", ""),
        _partition("swap", 3, 10 * MIB, MIB, "swap", "", ""),
        _partition("third", 5, 12 * MIB, MIB, "", "", ""),
        _partition("data", 6, 14 * MIB, 4 * MIB, "ext4", "/opt", data, grows=True),
    ]
    medium.index["pieces"] = [{"offset": 0, "image": code}, {"offset": 512, "image": core}]
    medium.save()
    return medium


def _index(image: str, firmware: str, least: int) -> dict[str, Any]:
    return {
        "format": 1,
        "image": image,
        "version": "1.0.0",
        "system": "Debian GNU/Linux 12 (bookworm)",
        "firmware": firmware,
        "least": least,
        "pieces": [],
        "images": {},
        "disk": {"path": "", "strategy": "", "excludeRemovable": True, "requireEmpty": True},
        "state": None,
    }


def _partition(
    name: str,
    number: int,
    start: int,
    size: int,
    kind: str,
    at: str,
    image: str,
    *,
    boots: bool = False,
    grows: bool = False,
) -> dict[str, Any]:
    return {
        "id": name,
        "number": number,
        "start": start,
        "size": size,
        "type": kind,
        "at": at,
        "grows": grows,
        "boots": boots,
        "image": image,
    }
