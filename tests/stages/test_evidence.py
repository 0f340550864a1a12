"""The manifest says of each package whose word its trust is, and by what the set was locked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from oic.files import to_plain, write_json
from oic.ospackage.lock import FORMAT, Lock, LockedPackage, LockedRepository
from oic.plan import EVIDENCE
from oic.stage import Stage
from oic.stages import evidence
from oic.values import Bytes, Digest, ImageName

if TYPE_CHECKING:
    from pathlib import Path

NOTHING = Digest("0" * 64)
PACKAGE = LockedPackage(
    name="a",
    version="1",
    architecture="all",
    repository="tiny",
    location="a.deb",
    url="https://m.invalid/a.deb",
    size=Bytes(1),
    sha256=NOTHING,
    essential=False,
    requested=("a",),
    requires=(),
)
REPOSITORY = LockedRepository(
    name="tiny", url="https://m.invalid", suite="", components=(), signers=("A" * 40,), keys=(), trusted=False
)


@pytest.mark.parametrize("by", ["file", "solve"])
def test_the_manifest_repeats_the_verdicts_and_says_what_locked_the_packages(by: str, tmp_path: Path) -> None:
    part = {"image": {}, "target": {}, "recipe": "", "networkCommands": [], "outsideFiles": []}
    stage = Stage(
        name="evidence",
        image=ImageName("small"),
        recipe=tmp_path / "small.yml",
        cache=tmp_path,
        slice_text=json.dumps(part),
        inputs=EVIDENCE,
        outputs=("small.manifest.json",),
        version=1,
    )
    lock = Lock(
        request=NOTHING, asked={"sets": {}}, repositories=(REPOSITORY,), sets={"image": (PACKAGE,), "tools": ()}
    )
    write_json(stage.path("lock.json"), {"format": FORMAT, **to_plain(lock)})
    verdicts = {"image": {"a": "as small.lock.json says: …"}, "tools": {}}
    trust = {"verdicts": verdicts, "unsigned": {"image": [], "tools": []}, "unsignedMetadata": ["tiny"], "lockedBy": by}
    write_json(stage.path("trust.json"), trust)
    disk = {"size": 1, "sha256": NOTHING, "partitions": []}
    write_json(stage.path("image.json"), {"artefacts": ["small/small.raw"], "disk": disk})
    evidence.run(stage)
    manifest = json.loads(stage.path("small.manifest.json").read_text())
    assert manifest["unsignedMetadata"] == ["tiny"]
    assert (manifest["lockedBy"], manifest["packages"][0]["trust"]) == (by, "as small.lock.json says: …")
