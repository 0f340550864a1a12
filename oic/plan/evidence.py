"""The stage that writes the manifest of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from oic.image.fs import FILE_SYSTEMS
from oic.plan.signing import vouched
from oic.plan.tree import files_of
from oic.stages import evidence
from oic.values import digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oic.config.model import FinalConfig, User
    from oic.plan.maker import Maker
    from oic.stage import Stage


def evidence_stage(make: Maker, users: Sequence[User], artefacts: Sequence[Stage[Any]]) -> Stage[evidence.Slice]:
    """Return the stage that writes the manifest of these artefacts."""
    manifest = f"{make.stem}.manifest.json"
    made = (evidence.OF_ARTEFACTS[stage.name] for stage in artefacts)
    reads = (*made, *evidence.KIND.reads, *vouched(make.config))
    return make.stage(evidence.KIND, _evidence(make.config, users, manifest), files=(manifest,), reads=reads)


def _evidence(config: FinalConfig, users: Sequence[User], manifest: str) -> evidence.Slice:
    recipe = {
        "target": config.target,
        "image": config.image,
        "disk": config.disk,
        "artifacts": config.artifacts,
        # hashed passwords: the digest of a plain one could be guessed
        "system": replace(config.system, users=tuple(users), files=(), excluded_packages=()),
        "files": files_of(config),
        **({"read_only": config.read_only} if config.read_only else {}),
        **({"certificate": config.secure_boot.sha256} if config.secure_boot else {}),
    }
    return evidence.Slice(
        image=config.image,
        target=config.target,
        recipe=digest_of(recipe),
        network_commands=tuple(command.cmd for command in config.system.commands if command.network),
        outside_files=tuple(file.final for file in config.system.files if file.outside),
        drawn_file_systems=tuple(
            entry.id
            for entry in config.disk.partitions
            if entry.fs_type in FILE_SYSTEMS and FILE_SYSTEMS[entry.fs_type].is_drawn
        ),
        file=manifest,
    )
