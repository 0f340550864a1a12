"""evidence: a manifest beside the image: its packages and whom they are trusted by, partitions, digests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.files import digest_of
from oic.ospackage.lock import read_lock

if TYPE_CHECKING:
    from oic.stage import Stage


def run(stage: Stage) -> str:
    """Write the manifest."""
    part, image, data = stage.slice, stage.read("image.json"), stage.read("lock.json")
    lock, trust = read_lock(data), stage.read("trust.json")
    packages = [
        {
            "name": package.name,
            "version": package.version,
            "architecture": package.architecture,
            "repository": package.repository,
            "sha256": package.sha256,
            "trust": trust["verdicts"]["image"][package.name],
        }
        for package in sorted(lock.sets["image"], key=lambda package: package.name)
    ]
    name = image["artefacts"][0].rpartition("/")[2]
    stage.write(
        {
            "image": part["image"],
            "target": part["target"],
            "recipe": part["recipe"],
            "lock": digest_of(data),
            "artefacts": image["artefacts"],
            "files": [{"name": name, "size": image["disk"]["size"], "sha256": image["disk"]["sha256"]}],
            "partitions": image["disk"]["partitions"],
            "packages": packages,
            "unsigned": trust["unsigned"]["image"],
            "unsignedMetadata": trust["unsignedMetadata"],
            "lockedBy": trust["lockedBy"],
            "reproducible": not part["networkCommands"],
            "networkCommands": part["networkCommands"],
            "outsideFiles": part["outsideFiles"],
        }
    )
    return f"{stage.outputs[0]}, {len(packages)} packages"
