"""disk: the partition table and the partitions' images put together, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oic.files import to_plain
from oic.image.disk.geometry import Layout, PlacedPartition
from oic.image.disk.raw import write_raw

if TYPE_CHECKING:
    from oic.stage import Stage


def run(stage: Stage) -> str:
    """Write the raw disk."""
    part = stage.slice
    images = {**stage.read("fs.json")["images"], **stage.read("boot.json")["images"]}
    path = stage.path(part["file"])
    written = write_raw(path, _layout(part["layout"]), {name: stage.cache / place for name, place in images.items()})
    stage.write(
        {
            "artefacts": [stage.artefact(path)],
            "disk": to_plain(written),
            "layout": part["layout"],
        }
    )
    return f"{path.name}, {written.size >> 20} MiB"


def _layout(plain: dict[str, Any]) -> Layout:
    partitions = tuple(PlacedPartition(**entry) for entry in plain["partitions"])
    return Layout(**{**plain, "partitions": partitions})
