"""The stages that make what a user gets: the raw disk, its other formats, the tree as an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oic.image.compression import COMPRESSIONS
from oic.image.seeds import uuid_for
from oic.plan.boot import disk_of
from oic.plan.signing import vouched
from oic.stages import archive, convert, disk

if TYPE_CHECKING:
    from oic.config.model import Artifact
    from oic.handover.codec import Handover
    from oic.image.disk.placed import Layout
    from oic.plan.maker import Maker
    from oic.stage import Stage


def artefact_stages(make: Maker, placed: Layout) -> tuple[Stage[Any], ...]:
    """Return the stages for the artefacts of a recipe: the raw file is written only where it asks for that."""
    wanted = [(artifact, _conversion(make, artifact)) for artifact in make.config.artifacts]
    raw = [made for artifact, made in wanted if artifact.type == "raw" and not artifact.compression]
    archives = tuple(made for artifact, made in wanted if artifact.type == "tar")
    others = tuple(made for _, made in wanted if made not in raw and made not in archives)
    disk_plan = disk_of(make.config, make.seed)
    by_content = disk_plan if disk_plan.waits else None
    of_root = vouched(make.config)
    stages: list[Stage[Any]] = []
    if raw:
        (file,) = (made.file for made in raw)
        part = disk.Slice(layout=placed, by_content=by_content, file=file)
        stages.append(make.stage(disk.KIND, part, files=(file,), reads=(*disk.KIND.reads, *of_root)))
    if others:
        said = convert.Slice(conversions=others, layout=None if raw else placed, by_content=None if raw else by_content)
        files = tuple(made.file for made in others)
        reads: tuple[type[Handover], ...] | None = None if raw else (*convert.WITHOUT_RAW, *of_root)
        stages.append(make.stage(convert.KIND, said, files=files, reads=reads))
    if archives:
        files = tuple(made.file for made in archives)
        stages.append(make.stage(archive.KIND, archive.Slice(archives=archives), files=files))
    return tuple(stages)


def _conversion(make: Maker, artifact: Artifact) -> convert.Conversion:
    endings = [artifact.type, *([COMPRESSIONS[artifact.compression].ending] if artifact.compression else [])]
    return convert.Conversion(
        format=artifact.type,
        compression=artifact.compression,
        file=".".join([make.stem, *endings]),
        uuid=uuid_for(make.seed, f"artefact {artifact.type}"),
    )
