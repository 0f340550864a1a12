"""Only missing outputs are created again: hand-overs, artefacts, layers, blobs, doit's database; also new versions."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from .conftest import outputs_of
from .families import Family, each
from .place import PROJECT, STAGES, Place

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Built

pytestmark = pytest.mark.mirror
HANDOVERS = {
    "index.json": "metadata",
    "lock.json": "solve",
    "download.json": "download",
    "verified.json": "verify",
    "trust.json": "verify",
    "chroot.json": "chroot",
    "rootfs.json": "rootfs",
    "scriptlets.json": "rootfs",
    "system.json": "system",
    "initrd-inputs.json": "system",
    "boot-inputs.json": "system",
    "private-keys.json": "system",
    "initrd.json": "initrd",
    "fs.json": "fs",
    "boot.json": "boot",
    "image.json": "disk",
    "small-1.0.0.manifest.json": "evidence",
}
ARTEFACTS = {
    "vmlinuz": "system",
    "initrd.img": "initrd",
    "fs/rootfs.img": "fs",
    "esp.img": "boot",
    "small-1.0.0.raw": "disk",
}


@each("name stage", lambda _family: [(name, (name, stage)) for name, stage in {**HANDOVERS, **ARTEFACTS}.items()])
def test_a_missing_file_runs_the_stage_that_writes_it(name: str, stage: str, place: Place, built: Built) -> None:
    (place.image / name).unlink()
    assert place.doit("build").succeeded().stages() == {stage}
    assert outputs_of(place) == built.outputs
    assert place.doit("build").succeeded().ran == []


def changed_byte(file: Path) -> None:
    """Change one byte of a file, which keeps its size."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.unlink()  # it is a hard link to the snapshot's file
    file.write_bytes(content)


@each("name stage", lambda _family: [(name, (name, stage)) for name, stage in ARTEFACTS.items()])
def test_a_file_changed_after_it_was_written_runs_the_stage_that_writes_it(
    name: str, stage: str, place: Place, built: Built
) -> None:
    changed_byte(place.image / name)
    assert f"{name} is not as it was written" in place.doit("info", f"{stage}:small").said
    assert place.doit("build").succeeded().stages() == {stage}
    assert outputs_of(place) == built.outputs


def test_a_copied_file_is_hashed_once_and_runs_nothing(place: Place, built: Built) -> None:
    copy = place.root / "copy.raw"
    shutil.copy(place.raw, copy)
    copy.replace(place.raw)
    record = place.image / "seen/disk.json"
    before = record.read_text()
    assert place.doit("build").succeeded().ran == []
    assert outputs_of(place) == built.outputs
    assert record.read_text() != before
    record.unlink()
    assert place.doit("build").succeeded().ran == []
    assert record.exists()


def layer_of(place: Place, stage: str) -> list[str]:
    said = json.loads((place.image / f"{stage}.json").read_text())
    found = [said["layer"]] if stage == "chroot" else said["layers"]
    return [layer["place"] for layer in (found[-1:] if stage == "system" else found)]


def layers(family: Family) -> list[tuple[str, tuple[str, int]]]:
    every = [("chroot", 0), *(("rootfs", number) for number in range(family.layers)), ("system", 0)]
    return [(f"layer {number} of {stage}", (stage, number)) for stage, number in every]


@each("stage number", layers)
def test_a_missing_layer_runs_its_stage_and_gets_the_same_content(
    stage: str, number: int, place: Place, built: Built
) -> None:
    layer = place.cache / layer_of(place, stage)[number]
    shutil.rmtree(layer)
    assert place.doit("build").succeeded().stages() == {stage}
    assert (layer / "layer.json").exists()
    assert outputs_of(place) == built.outputs


def test_a_layer_without_its_tree_counts_as_missing(place: Place) -> None:
    (layer,) = layer_of(place, "system")
    shutil.rmtree(place.cache / layer / "tree")
    assert place.doit("build").succeeded().stages() == {"system"}


@pytest.mark.parametrize("kept", [0, 20])
@pytest.mark.parametrize("stage", ["chroot", "rootfs", "system"])
def test_a_truncated_note_of_a_layer_counts_as_missing(stage: str, kept: int, place: Place, built: Built) -> None:
    layer = place.cache / layer_of(place, stage)[-1]
    notes = [note for note in layer.parent.glob("*.json") if json.loads(note.read_text())["layer"] == layer.name]
    assert notes
    for note in notes:
        note.write_text(note.read_text()[:kept])
    (place.image / f"{stage}.json").unlink()
    assert place.doit("build").succeeded().stages() == {stage}
    assert outputs_of(place) == built.outputs
    (layer / "layer.json").write_text((layer / "layer.json").read_text()[:kept])
    assert place.doit("build").succeeded().stages() == {stage}
    assert outputs_of(place) == built.outputs


@pytest.mark.parametrize("kept", [0, 8])
def test_a_truncated_note_of_the_recipe_is_replaced(kept: int, place: Place) -> None:
    note = place.image / "recipe"
    whole = note.read_text()
    note.unlink()  # it is a hard link to the snapshot's file
    note.write_text(whole[:kept])
    assert place.doit("build").succeeded().ran == []
    assert note.read_text() == whole


@pytest.mark.slow
def test_an_emptied_store_is_filled_again(place: Place, built: Built) -> None:
    shutil.rmtree(place.cache / "store")
    assert place.doit("build").succeeded().stages() == {"metadata", "download"}
    assert outputs_of(place) == built.outputs


@pytest.mark.slow
def test_without_doits_database_every_stage_runs_and_nothing_changes(place: Place, built: Built) -> None:
    (place.cache / "doit.db").unlink()
    assert place.doit("build").succeeded().stages() == set(STAGES)
    assert outputs_of(place) == built.outputs


@pytest.mark.slow
def test_a_build_from_only_the_store_gives_the_same_bytes(place: Place, built: Built) -> None:
    shutil.rmtree(place.image)
    shutil.rmtree(place.cache / "layers")
    (place.cache / "doit.db").unlink()
    place.doit("build").succeeded()
    assert outputs_of(place) == built.outputs


def test_a_damaged_database_of_doit_is_an_error_of_one_line(place: Place) -> None:
    (place.cache / "doit.db").write_bytes(b"not a database" * 100)
    place.doit("build").refused("doit.db", "delete it")


def versions(_family: Family) -> list[tuple[str, tuple[str]]]:
    return [(f"version of {stage}", (stage,)) for stage in ("boot", "system", "rootfs", "solve")]


@each("stage", versions)
def test_a_new_version_of_a_stage_runs_only_that_stage_if_its_result_is_the_same(
    stage: str, place: Place, built: Built
) -> None:
    project = place.root / "another-version"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(PROJECT / "oic", project / "oic", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "dodo.py", project)
    module = project / f"oic/stages/{stage}.py"
    other, count = re.subn(r"    version=\d+,", "    version=99,", module.read_text())
    assert count == 1
    module.write_text(other)
    place.project = project
    assert place.doit("build").succeeded().stages() == {stage}
    assert outputs_of(place) == built.outputs


EVIDENT = {"solve", "download", "verify", "evidence"}
"""The stages that a new lock with the same packages runs: it and its indexes are checked, and the manifest says so."""


def test_a_kept_lock_with_the_same_packages_installs_nothing_again(place: Place) -> None:
    place.doit("lock").succeeded()
    assert place.doit("build").succeeded().stages() == EVIDENT
    assert place.doit("build").succeeded().ran == []
    (place.root / "small.lock.json").unlink()
    assert place.doit("build").succeeded().stages() == EVIDENT
    assert place.doit("build").succeeded().ran == []


def test_a_kept_lock_that_no_longer_fits_the_recipe_is_refused(place: Place) -> None:
    place.doit("lock").succeeded()
    text = place.recipe.read_text()
    place.recipe.write_text(text.replace("  hostname:", "  packages: [less]\n  hostname:"))
    place.doit("build").refused("small.lock.json", "less was added")
    place.recipe.write_text(text)
    assert place.doit("build").succeeded().stages() == EVIDENT
