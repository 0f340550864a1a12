"""fs: one file-system image for each partition that has content, from the merged tree."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from oic.chroot import child, layers, namespace, overlay, toolbox
from oic.errors import OicError
from oic.files import digest_of_sparse
from oic.image.fs.ext4 import make_ext4
from oic.image.fs.fat import make_fat
from oic.image.seeds import volume_id_for
from oic.image.tree import views
from oic.values import Bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.image.tools import Tools
    from oic.stage import Stage


def run(stage: Stage) -> str:
    """Make the file systems."""
    part, system = stage.slice, stage.read("system.json")
    trees = [layers.read(stage.cache / place).tree for place in system["layers"]]
    chroot = layers.read(stage.cache / stage.read("chroot.json")["layer"]).tree
    if stage.path("fs").exists():  # partitions that are no more, and what a killed build left
        shutil.rmtree(stage.path("fs"))
    stage.path("fs").mkdir(parents=True)
    images = {entry["id"]: stage.path(f"fs/{entry['id']}.img") for entry in part["partitions"]}
    work = stage.path("work")
    work.mkdir(exist_ok=True)
    writes = [stage.path("fs"), work, stage.made_log()]
    namespace.call(_make, part, trees, chroot, int(system["epoch"]), images, work / "fs", stage.log, writes=writes)
    places = {name: stage.artefact(path) for name, path in images.items()}
    digests = {name: digest_of_sparse(path) for name, path in images.items()}
    stage.write({"images": places, "digests": digests, "artefacts": sorted(places.values())})
    return ", ".join(f"{entry['id']} {entry['type']} {entry['size'] >> 20} MiB" for entry in part["partitions"])


def _make(  # noqa: PLR0913 - runs in a namespace: all it knows is said here
    part: dict[str, Any],
    trees: Sequence[Path],
    chroot: Path,
    epoch: int,
    images: dict[str, Path],
    work: Path,
    log: Path,
) -> None:
    with (
        toolbox.workspace(work),
        overlay.merged(trees, work / "root", upper=_made(work / "upper"), work=work / "work") as root,
    ):
        places = child.inside(root, views.places, part["mountPoints"])
        for entry in part["partitions"]:
            image, tools_work = images[entry["id"]], _made(work / f"tools-{entry['id']}")
            with (
                views.shown(root, places.get(entry["at"], ""), sorted(places.values()), work / "view") as view,
                toolbox.opened(chroot, tools_work, log, visible=[view, image.parent]) as tools,
            ):
                _make_one(entry, view, image, epoch, tools)


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _make_one(entry: dict[str, Any], view: Path, image: Path, epoch: int, tools: Tools) -> None:
    size, label, kind = Bytes(entry["size"]), entry["label"], entry["type"]
    if kind == "ext4":
        make_ext4(view, image, size=size, uuid=entry["uuid"], label=label, epoch=epoch, tools=tools)
    elif kind in ("fat32", "fat16", "vfat"):
        files, directories = views.for_fat(view, entry["at"])
        volume_id = volume_id_for(entry["uuid"], "volume id")
        make_fat(
            image,
            size=size,
            volume_id=volume_id,
            label=label,
            epoch=epoch,
            files=files,
            directories=directories,
            tools=tools,
        )
    else:
        raise OicError(f"partition {entry['id']}: expected ext4 or fat32, found {kind}")
