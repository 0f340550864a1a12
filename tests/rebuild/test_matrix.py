"""After an edit, the real doit runs exactly these stages; a second build runs nothing."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
import yaml

from .conftest import outputs_of
from .edits import Edit, edit_of, edits_of
from .families import DEB, RPM, SOLVED, TREE, Family, each
from .place import STAGES, Place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Built

pytestmark = pytest.mark.mirror


def running(family: Family) -> list[tuple[str, tuple[Edit]]]:
    return [(edit.name, (edit,)) for edit in edits_of(family) if edit.ran]


@each("edit", running)
def test_an_edit_runs_exactly_these_stages(edit: Edit, place: Place) -> None:
    assert edit.ran is not None
    place.write(edit.edited(place.family.recipe))
    assert place.doit("build").succeeded().stages() == set(edit.ran)
    assert place.doit("build").succeeded().ran == []


def test_edits_without_effect_run_nothing(place: Place) -> None:
    recipe = place.family.recipe
    for edit in edits_of(place.family):
        if edit.ran == frozenset():
            edit.change(recipe)
    place.write(recipe)
    place.recipe.write_text("# a comment\n" + place.recipe.read_text())
    assert place.doit("build").succeeded().ran == []


@pytest.fixture(scope="module")
def rich(builds: Callable[[Family], Built]) -> Callable[[Family], Path]:
    """Build a family's recipe with more packages, once; return the snapshot."""
    done: dict[str, Path] = {}

    def build(family: Family) -> Path:
        if family.name not in done:
            built = builds(family)
            built.place.restore(built.snapshot)
            built.place.write(family.rich_recipe)
            built.place.doit("build").succeeded()
            done[family.name] = built.snapshot.with_name("rich")
            built.place.keep(done[family.name])
        return done[family.name]

    return build


@each("field value ran", lambda family: [(name, (name, *row)) for name, row in family.rich_edits.items()])
def test_an_edit_that_needs_more_packages_runs_exactly_these_stages(
    field: str, value: object, ran: set[str], rich: Callable[[Family], Path], built: Built
) -> None:
    place = built.place
    place.restore(rich(place.family))
    edit = Edit(
        name=field,
        field=field if field.startswith("disk.") else f"systemConfig.{field}",
        value=value,
        direct=frozenset(),
    )
    place.write(edit.edited(place.family.rich_recipe))
    assert place.doit("build").succeeded().stages() == ran
    assert place.doit("build").succeeded().ran == []


def test_a_touched_file_runs_nothing_and_a_changed_file_runs_what_contains_it(place: Place) -> None:
    (place.root / "files/motd").touch()
    place.recipe.touch()
    for handover in place.image.glob("*.json"):
        handover.touch()
    assert place.doit("build").succeeded().ran == []
    (place.root / "files/motd").write_text("Go away.\n")
    assert place.doit("build").succeeded().stages() == TREE


@pytest.mark.slow
@pytest.mark.parametrize("family", [DEB], indirect=True)
def test_another_partition_table_of_a_disk_for_a_bios_solves_nothing(place: Place) -> None:
    recipe = place.family.recipe
    recipe["systemConfig"]["bootloader"] = {"bootType": "legacy", "provider": "grub"}
    root = {**recipe["disk"]["partitions"][1], "type": "linux", "start": "2MiB"}
    for table in ("gpt", "mbr"):
        recipe["disk"] |= {"partitionTableType": table, "partitions": [root]}
        place.write(recipe)
        ran = place.doit("build").succeeded().stages()
    assert ran == {*TREE, "initrd", "boot"}
    assert place.doit("build").succeeded().ran == []


@pytest.mark.slow
@pytest.mark.parametrize("family", [DEB], indirect=True)
def test_a_file_system_with_tools_of_its_own_adds_them_to_both_sets(place: Place) -> None:
    """One with tools that are there already is in the list of edits, as is this one's plan; it needs more room."""
    recipe = place.family.recipe
    recipe["disk"]["size"] = "auto"
    recipe["disk"]["partitions"][1] |= {"fsType": "btrfs", "end": "900MiB"}
    place.write(recipe)
    # The initramfs has the tools and the module of the root's file system, and boot has the initramfs.
    assert place.doit("build").succeeded().stages() == {*SOLVED, *TREE, "initrd", "boot"}
    assert place.doit("build").succeeded().ran == []


@pytest.mark.slow
def test_a_file_with_another_name_and_the_same_content_runs_nothing(place: Place) -> None:
    (place.root / "files/other").write_text((place.root / "files/motd").read_text())
    text = place.recipe.read_text()
    assert text.count("files/motd") == 1
    place.write(text.replace("files/motd", "files/other"))
    assert place.doit("build").succeeded().ran == []


@pytest.mark.slow
@pytest.mark.parametrize("family", [RPM], indirect=True)
def test_another_url_of_the_same_repository_rebuilds_no_part_of_the_image(place: Place, built: Built) -> None:
    facts = yaml.safe_load((place.root.parent / "distributions/azure-linux/azl3/distribution.yml").read_text())
    elsewhere = facts["mirror"].replace("localhost", "127.0.0.1")
    recipe = place.family.recipe
    recipe["target"]["mirror"] = elsewhere
    place.write(recipe)
    assert place.doit("build").succeeded().stages() == {*SOLVED, "metadata", "system", "evidence"}
    assert outputs_of(place)[place.raw.name] == built.outputs[place.raw.name]
    assert place.doit("build").succeeded().ran == []


@pytest.mark.slow
def test_a_reverted_edit_gives_the_first_bytes_again(place: Place, built: Built) -> None:
    for field in ("systemConfig.hostname", "disk.partitions.1.fsLabel", "systemConfig.kernel.cmdline"):
        place.write(edit_of(place.family, field).edited(place.family.recipe))
        place.doit("build").succeeded()
        assert outputs_of(place) != built.outputs
    place.write(place.family.recipe)
    place.doit("build").succeeded()
    assert outputs_of(place) == built.outputs


def test_a_second_recipe_does_not_disturb_the_first(place: Place) -> None:
    other = {**place.family.recipe, "image": {"name": "other", "version": "1.0.0"}}
    place.write(other, "second.yml")
    ran = place.doit("build", image="second.yml").succeeded()
    assert ran.stages("second") == set(STAGES)
    assert place.doit("build").succeeded().ran == []
    assert place.doit("build", image="second.yml").succeeded().ran == []
    layers = sorted(path.name for path in (place.cache / "layers").iterdir())
    place.doit("build", image="second.yml").succeeded()
    assert sorted(path.name for path in (place.cache / "layers").iterdir()) == layers


@pytest.mark.slow
def test_a_copy_of_the_recipe_in_another_directory_gives_the_same_bits(place: Place, built: Built) -> None:
    elsewhere = place.another(place.root / "elsewhere")
    elsewhere.write(place.family.recipe)
    elsewhere.environment["OIC_TEST"] = "another environment"
    elsewhere.cache.mkdir()
    shutil.copytree(place.cache / "store", elsewhere.cache / "store", copy_function=os.link)
    elsewhere.doit("build").succeeded()
    found, expected = outputs_of(elsewhere), dict(built.outputs)
    assert {name for name in expected if found[name] != expected[name]} <= {"index.json"}
