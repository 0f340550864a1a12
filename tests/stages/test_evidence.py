"""The manifest says of each package whose word its trust is, and by what the set was locked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from ospackage.asked import NOTHING_ASKED

from oic.config.model import Image, Target
from oic.files import write_text
from oic.handover.disk import Product, RawDisk
from oic.handover.packages import LockFile, Trust
from oic.handover.tree import Artefact, PassedOver, PassedScriptlets, PrivateKey, PrivateKeys
from oic.image.tree.drawn import OF_RECIPE
from oic.ospackage.lock import Lock, LockedPackage, LockedRepository
from oic.runs import evidence as running
from oic.stage import Stage
from oic.stages import evidence
from oic.values import Bytes, Digest, ImageName, to_plain

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


def manifest_of(
    place: Path, *, by: str = "solve", keys: tuple[PrivateKey, ...] = (), passed: tuple[PassedOver, ...] = ()
) -> dict[str, Any]:
    """Return the manifest of an image of one package, and what the stage said of it."""
    part = evidence.Slice(
        image=Image(name="small", version="1"),
        target=Target(os="debian", dist="debian12", arch="x86_64", image_type="raw"),
        recipe=NOTHING,
        network_commands=(),
        outside_files=(),
        drawn_file_systems=(),
        file="small.manifest.json",
    )
    stage = Stage(
        kind=evidence.KIND,
        image=ImageName("small"),
        recipe=place / "small.yml",
        cache=place,
        slice=part,
        reads=(RawDisk, *evidence.KIND.reads),
        files=(part.file,),
    )
    lock = Lock(
        request=NOTHING, asked=NOTHING_ASKED, repositories=(REPOSITORY,), sets={"image": (PACKAGE,), "tools": ()}
    )
    verdicts: dict[str, dict[str, str]] = {"image": {"a": "as small.lock.json says: …"}, "tools": {}}
    trust = Trust(verdicts=verdicts, unsigned={"image": (), "tools": ()}, unsigned_metadata=("tiny",), locked_by=by)
    raw = Product(format="raw", compression="", file=Artefact(path="small/small.raw", sha256=NOTHING, size=Bytes(1)))
    products = RawDisk(products=(raw,), partitions=())
    for one in (
        LockFile(lock=lock),
        trust,
        PrivateKeys(private_keys=keys),
        PassedScriptlets(scriptlets=passed),
        products,
    ):
        write_text(stage.path(one.FILE), one.to_text())
    said = running.run(stage)
    return {**json.loads(stage.path("small.manifest.json").read_text()), "said": said}


@pytest.mark.parametrize("by", ["file", "solve"])
def test_the_manifest_repeats_the_verdicts_and_says_what_locked_the_packages(by: str, tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, by=by)
    assert manifest["unsignedMetadata"] == ["tiny"]
    assert (manifest["lockedBy"], manifest["packages"][0]["trust"]) == (by, "as small.lock.json says: …")
    assert manifest["reproducible"]


def test_an_image_with_a_private_key_that_was_drawn_is_not_called_reproducible(tmp_path: Path) -> None:
    drawn = PrivateKey(path="/etc/x.key", kind="OpenSSH", made="in no package's list, named in the %post of x")
    given = PrivateKey(path="/etc/y.key", kind="OpenSSH", made=OF_RECIPE)
    manifest = manifest_of(tmp_path, keys=(drawn, given))
    assert (manifest["reproducible"], manifest["privateKeys"]) == (False, to_plain([drawn, given]))
    assert manifest["said"].endswith("1 packages, not reproducible: 1 private key was generated")
    manifest = manifest_of(tmp_path, keys=(given,))
    assert (manifest["reproducible"], manifest["privateKeys"]) == (True, to_plain([given]))
    assert manifest["said"].endswith("1 packages")


def test_the_manifest_has_each_scriptlet_that_was_let_fail(tmp_path: Path) -> None:
    passed = PassedOver(package="a", phase="%post", how="exit status 1", lines=("no such module",))
    assert manifest_of(tmp_path, passed=(passed,))["scriptletsPassedOver"] == [to_plain(passed)]
