"""What came of a run: lines for whoever watched it, and its results for whoever uses them.

The results on standard output are a line for each artefact, ``PATH  SIZE bytes  sha256:DIGEST``, or with
``format=json`` one document of all that the lines say.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any

from oic.image.compression import COMPRESSIONS
from oic.image.fs.usage import used_bytes
from oic.progress import worded
from oic.stages.evidence import partitions_of, products_of
from oic.tasks.mistakes import from_here
from oic.values import Value, to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from oic.handover.disk import Product
    from oic.stage import Stage
    from oic.values import ImageName


class Asked(Value):
    """What decides how a run is told: the program, where the user stood, notes on the recipes, whether in JSON."""

    program: str
    stood_in: Path
    notes: Mapping[ImageName, tuple[str, ...]]
    json: bool

    def command(self, task: str, recipe: str) -> str:
        """Return how the user says a task of a recipe."""
        return f"oic {task} {recipe}" if self.program == "oic" else f"doit {task} image={recipe}"


class Run(Value):
    """Which tasks ran, were reused and failed with which message, how long it took, what was noted on the way."""

    ran: Sequence[str]
    reused: Sequence[str]
    failed: Mapping[str, str]
    seconds: float
    notes: Sequence[str]


def lines(run: Run, built: Sequence[Stage[Any]], asked: Asked) -> Iterator[str]:
    """Yield what is said of a run; `built` is the last stage of each image that was built."""
    notes = [*run.notes, *(note for stage in built for note in asked.notes[stage.image])]
    counts = f"{len(run.ran)} {'stage' if len(run.ran) == 1 else 'stages'} ran, {len(run.reused)} reused"
    if run.failed:
        took = f" in {run.seconds:.1f} s" if run.ran else ""
        yield f"failed: {', '.join(run.failed)}; {counts}{took}"
        return
    names = ", ".join(stage.image for stage in built)
    yield f"built {names} in {run.seconds:.1f} s: {counts}"
    for note in dict.fromkeys(notes):
        yield f"  note: {from_here(worded(note), asked.stood_in)}"
    for stage in built:
        for product in products_of(stage):
            path = stage.cache / product.file.path
            on_disk = path.stat().st_blocks * 512
            sparse = f", {on_disk / 1e6:.0f} MB of them on disk" if on_disk < product.file.size else ""
            yield f"  {path.name}: {product.file.size / 1e6:.0f} MB{sparse}"
        yield from (f"    {_use(entry)}" for entry in partitions(stage))
        if any(product.format != "tar" for product in products_of(stage)):
            yield f"  boot it:  {asked.command('boot-test', stage.recipe.name)}"
        if command := _write_command(stage):
            yield f"  write it: {command}"


def results(run: Run, built: Sequence[Stage[Any]], asked: Asked) -> str:
    """Return what goes to standard output."""
    if asked.json:
        return to_json(
            {
                "ran": run.ran,
                "reused": run.reused,
                "failed": list(run.failed),
                "failures": [{"task": task, "message": message} for task, message in run.failed.items()],
                "seconds": round(run.seconds, 1),
                "notes": list(dict.fromkeys(run.notes)),
                "images": [_image(stage, asked) for stage in built],
            }
        )
    products = ((stage, product) for stage in built for product in products_of(stage))
    return "".join(f"{_line(stage, product)}\n" for stage, product in products)


def raw_disk(stage: Stage[Any]) -> Path | None:
    """Return the disk as it is, neither in another format nor compressed, if there is one."""
    found = (one for one in products_of(stage) if one.format == "raw" and not one.compression)
    return next((stage.cache / one.file.path for one in found), None)


def _write_command(stage: Stage[Any]) -> str:
    """Return the command that writes the raw disk to a device, from a compressed file if need be; empty for none."""
    found = [one for one in products_of(stage) if one.format == "raw"]
    if not found:
        return ""
    best = min(found, key=lambda product: bool(product.compression))
    file, device = shlex.quote(str(stage.cache / best.file.path)), "of=/dev/DISK bs=4M conv=fsync"
    if not best.compression:
        return f"dd if={file} {device} status=progress"
    program = COMPRESSIONS[best.compression].argv[0]
    return f"{program} -dc {file} | dd {device} iflag=fullblock"


def partitions(stage: Stage[Any]) -> list[dict[str, Any]]:
    """Return each partition's id and size, and how much of it is used where its file system says so."""
    raw = raw_disk(stage)
    if raw is None:
        return []
    with raw.open("rb") as disk:
        return [{"id": one.id, "size": one.size, "used": used_bytes(disk, one.offset)} for one in partitions_of(stage)]


def _use(partition: Mapping[str, Any]) -> str:
    size, used = partition["size"], partition["used"]
    if used is None:
        return f"{partition['id']:12} {size >> 20:6} MiB"
    return f"{partition['id']:12} {size >> 20:6} MiB, {-(-used >> 20)} MiB used ({round(100 * used / size)} %)"


def _line(stage: Stage[Any], product: Product) -> str:
    return f"{stage.cache / product.file.path}  {product.file.size} bytes  sha256:{product.file.sha256}"


def _image(stage: Stage[Any], asked: Asked) -> dict[str, Any]:
    return {
        "image": stage.image,
        "recipe": str(stage.recipe),
        "notes": list(asked.notes[stage.image]),
        "partitions": partitions(stage),
        "products": [
            {
                "format": product.format,
                "compression": product.compression,
                "path": str(stage.cache / product.file.path),
                "size": product.file.size,
                "allocated": os.stat(stage.cache / product.file.path).st_blocks * 512,
                "sha256": product.file.sha256,
            }
            for product in products_of(stage)
        ],
    }
