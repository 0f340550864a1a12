"""Final configs of recipes in the public style: as before, each rule in one, and each a recipe of the same meaning."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from oic.config.final import load_config
from oic.config.printed import recipe_text
from oic.plan import plan
from oic.values import to_json

from .golden import FINAL, FOLDER, RECIPES, VARIABLES, final_text
from .page import PAGE

if TYPE_CHECKING:
    from pathlib import Path

EACH = pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)


@EACH
def test_a_final_config_is_the_golden_one(recipe: Path) -> None:
    assert final_text(recipe) == (FINAL / recipe.name).read_text(encoding="utf-8"), "in tests/: python -m config.golden"


def test_each_golden_config_has_its_recipe_and_there_are_a_dozen_of_six_distributions() -> None:
    assert {path.name for path in FINAL.glob("*")} == {path.name for path in RECIPES}
    assert len(RECIPES) >= 12
    assert {path.stem.partition("-")[0] for path in RECIPES} == {
        "azl3",
        "emt3",
        "elxr12",
        "elxr13",
        "ubuntu24",
        "debian13",
    }


def test_every_rule_of_merging_is_shown_by_one_of_them() -> None:
    merging = PAGE.read_text(encoding="utf-8").partition("\n## Merging\n")[2].partition("\n## ")[0]
    rules = {re.sub("`", "", rule) for rule in re.findall(r"^\| (`.*?) \| ", merging, re.MULTILINE)}
    shown = {
        line.removeprefix("# ").partition(": ")[0]
        for recipe in RECIPES
        for line in recipe.read_text(encoding="utf-8").splitlines()
        if line.startswith("# ")
    }
    assert len(rules) >= 10
    assert shown == rules


@EACH
def test_a_final_config_in_the_place_of_its_recipe_means_the_same(recipe: Path, tmp_path: Path) -> None:
    """The same slices; of what is not built yet, the same refusals."""
    folder = tmp_path / "place"
    shutil.copytree(FOLDER, folder)
    other = folder / "printed.yml"
    other.write_text(recipe_text(folder / recipe.name, VARIABLES, secrets=True), encoding="utf-8")
    before, after = (load_config(path, VARIABLES) for path in (folder / recipe.name, other))
    seen = [
        {stage.name: to_json(stage.slice) for stage in plan(config, tmp_path / "cache")}
        for config in (before, after)
        if not config.unbuilt
    ]
    assert not seen or seen[0] == seen[1]
    assert [reasons(config.unbuilt) for config in (before, after)] == [reasons(before.unbuilt)] * 2


def reasons(unbuilt: tuple[str, ...]) -> list[str]:
    """Return what is not built, without the places that say so."""
    return sorted(line.split(": ", 2)[2] for line in unbuilt)
