"""The EFI system partition as a file: a FAT file system with what boots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.image.fs.fat import make_fat
from oic.image.fs.room import esp_room

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from oic.image.boot.esp import EspPartition
    from oic.image.tools import Tools


def make_esp(esp: EspPartition, image: Path, files: Mapping[str, Path | bytes], epoch: int, tools: Tools) -> None:
    """Write the file system with these files; raises as `oic.image.fs.fat.make_fat` does."""
    make_fat(
        image,
        kind=esp.type,
        size=esp.size or esp_room(sum(map(_size_of, files.values()))),
        volume_id=esp.volume_id,
        label=esp.label,
        epoch=epoch,
        files=files,
        tools=tools,
    )


def _size_of(content: Path | bytes) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size
