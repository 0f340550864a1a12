"""Edit → exactly these stages run, through the real doit; then the second build runs nothing."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import pytest

from .edits import EDITS, RICH, RICH_EDITS, TREE, Edit, setting
from .place import RECIPE, STAGES, Place

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Built

pytestmark = pytest.mark.mirror
TABLE = [
    pytest.param(edit, id=edit.name, marks=() if edit.quick else pytest.mark.slow)
    for edit in EDITS
    if edit.ran is not None and (edit.ran or edit.quick)
]
SILENT = [edit for edit in EDITS if edit.ran == frozenset()]


@pytest.mark.parametrize("edit", TABLE)
def test_an_edit_runs_exactly_these_stages(edit: Edit, place: Place) -> None:
    place.write(edit.edited())
    assert place.doit("build").succeeded().stages() == edit.ran
    assert place.doit("build").succeeded().ran == []


def test_edits_of_no_consequence_run_nothing(place: Place) -> None:
    recipe = copy.deepcopy(RECIPE)
    for edit in SILENT:
        edit.change(recipe)
    place.write(recipe)
    place.recipe.write_text("# a comment\n" + place.recipe.read_text())
    assert place.doit("build").succeeded().ran == []


@pytest.fixture(scope="module")
def rich(built: Built) -> Path:
    """Build the recipe with more packages; return the snapshot."""
    built.place.restore(built.snapshot)
    built.place.write(RICH)
    built.place.doit("build").succeeded()
    snapshot = built.snapshot.with_name("rich")
    built.place.keep(snapshot)
    return snapshot


@pytest.mark.slow
@pytest.mark.parametrize("name", RICH_EDITS)
def test_an_edit_that_needs_more_packages_runs_exactly_these_stages(name: str, rich: Path, built: Built) -> None:
    value, ran = RICH_EDITS[name]
    place = built.place
    place.restore(rich)
    recipe = copy.deepcopy(RICH)
    setting(f"systemConfig.{name}", value)(recipe)
    place.write(recipe)
    assert place.doit("build").succeeded().stages() == ran
    assert place.doit("build").succeeded().ran == []


def test_a_touched_file_runs_nothing_and_a_changed_one_what_holds_it(place: Place) -> None:
    (place.root / "files/motd").touch()
    place.recipe.touch()
    for handover in place.image.glob("*.json"):
        handover.touch()
    assert place.doit("build").succeeded().ran == []
    (place.root / "files/motd").write_text("Go away.\n")
    assert place.doit("build").succeeded().stages() == TREE


@pytest.mark.slow
def test_a_file_of_another_name_with_the_same_content_comes_to_the_same_layer(place: Place) -> None:
    (place.root / "files/other").write_text((place.root / "files/motd").read_text())
    text = place.recipe.read_text()
    place.write(text.replace("files/motd", "files/other"))
    assert place.doit("build").succeeded().stages() == {"system"}


@pytest.mark.slow
def test_an_edit_taken_back_comes_to_the_first_bytes(place: Place, built: Built) -> None:
    from .conftest import outputs_of  # noqa: PLC0415

    for edit in EDITS:
        if edit.field in ("systemConfig.hostname", "disk.partitions.1.fsLabel", "systemConfig.kernel.cmdline"):
            place.write(edit.edited())
            place.doit("build").succeeded()
            assert outputs_of(place) != built.outputs
    place.write(RECIPE)
    place.doit("build").succeeded()
    assert outputs_of(place) == built.outputs


def test_a_second_recipe_does_not_disturb_the_first(place: Place) -> None:
    other = {**RECIPE, "image": {"name": "other", "version": "1.0.0"}}
    place.write(other, "second.yml")
    ran = place.doit("build", image="second.yml").succeeded()
    assert ran.stages("second") == set(STAGES)
    assert place.doit("build").succeeded().ran == []
    assert place.doit("build", image="second.yml").succeeded().ran == []
    layers = sorted(path.name for path in (place.cache / "layers").iterdir())
    place.doit("build", image="second.yml").succeeded()
    assert sorted(path.name for path in (place.cache / "layers").iterdir()) == layers


@pytest.mark.slow
def test_a_copy_of_the_recipe_elsewhere_comes_to_the_same_bits(place: Place, built: Built) -> None:
    elsewhere = Place(root=place.root / "elsewhere", distributions=place.distributions)
    elsewhere.root.mkdir()
    elsewhere.write(RECIPE)
    elsewhere.environment["OIC_TEST"] = "another environment"
    (elsewhere.cache).mkdir()
    (elsewhere.cache / "store").symlink_to(place.cache / "store")
    elsewhere.doit("build").succeeded()
    from .conftest import outputs_of  # noqa: PLC0415

    found, expected = outputs_of(elsewhere), dict(built.outputs)
    assert {name for name in expected if found[name] != expected[name]} <= {"index.json"}
