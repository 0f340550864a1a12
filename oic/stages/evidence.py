"""evidence: a manifest beside the image: its packages and whom they are trusted by, partitions, digests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.files import digest_of
from oic.image.tree.drawn import OF_RECIPE
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
    keys = stage.read("private-keys.json")["privateKeys"]
    drawn = [key for key in keys if key["made"] != OF_RECIPE]
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
            "reproducible": not part["networkCommands"] and not drawn,
            "privateKeys": keys,
            "networkCommands": part["networkCommands"],
            "outsideFiles": part["outsideFiles"],
        }
    )
    count = "1 private key was" if len(drawn) == 1 else f"{len(drawn)} private keys were"
    said = f", not reproducible: {count} drawn" if drawn else ""
    return f"{stage.outputs[0]}, {len(packages)} packages{said}"
