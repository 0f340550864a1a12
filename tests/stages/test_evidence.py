"""The manifest says of each package whose word its trust is, and by what the set was locked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from oic.files import to_plain, write_json
from oic.image.tree.drawn import OF_RECIPE
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


def manifest_of(place: Path, *, by: str = "solve", keys: tuple[dict[str, str], ...] = ()) -> dict[str, Any]:
    """Return the manifest of an image of one package, and what the stage said of it."""
    part = {"image": {}, "target": {}, "recipe": "", "networkCommands": [], "outsideFiles": []}
    stage = Stage(
        name="evidence",
        image=ImageName("small"),
        recipe=place / "small.yml",
        cache=place,
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
    write_json(stage.path("private-keys.json"), {"privateKeys": keys})
    disk = {"size": 1, "sha256": NOTHING, "partitions": []}
    write_json(stage.path("image.json"), {"artefacts": ["small/small.raw"], "disk": disk})
    said = evidence.run(stage)
    return {**json.loads(stage.path("small.manifest.json").read_text()), "said": said}


@pytest.mark.parametrize("by", ["file", "solve"])
def test_the_manifest_repeats_the_verdicts_and_says_what_locked_the_packages(by: str, tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, by=by)
    assert manifest["unsignedMetadata"] == ["tiny"]
    assert (manifest["lockedBy"], manifest["packages"][0]["trust"]) == (by, "as small.lock.json says: …")
    assert manifest["reproducible"]


def test_an_image_with_a_private_key_that_was_drawn_is_not_called_reproducible(tmp_path: Path) -> None:
    drawn = {"path": "/etc/x.key", "kind": "OpenSSH", "made": "in no package's list, named in the %post of x"}
    given = {"path": "/etc/y.key", "kind": "OpenSSH", "made": OF_RECIPE}
    manifest = manifest_of(tmp_path, keys=(drawn, given))
    assert (manifest["reproducible"], manifest["privateKeys"]) == (False, [drawn, given])
    assert manifest["said"].endswith("1 packages, not reproducible: 1 private key was drawn")
    manifest = manifest_of(tmp_path, keys=(given,))
    assert (manifest["reproducible"], manifest["privateKeys"]) == (True, [given])
    assert manifest["said"].endswith("1 packages")
