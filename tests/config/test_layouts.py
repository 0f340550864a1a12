"""Disks that cannot be, ``layouts.yml``: each is refused when the recipe is read, in exactly these words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from oic.config.final import load_config
from oic.errors import RecipeError

LIST: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("layouts.yml").read_text(encoding="utf-8"))
HEAD = """image: {name: r, version: 1.0.0}
target: {os: debian, dist: debian12, arch: x86_64, imageType: raw}
"""


@pytest.mark.parametrize("case", LIST, ids=lambda case: case["name"].replace(" ", "_"))
def test_a_layout_that_cannot_be_is_refused_in_these_words(case: dict[str, Any], tmp_path: Path) -> None:
    recipe = tmp_path / "r.yml"
    recipe.write_text(HEAD + case["recipe"])
    with pytest.raises(RecipeError) as caught:
        load_config(recipe, {})
    assert str(caught.value).replace(str(recipe), "r.yml").splitlines() == case["says"]


def test_the_list_has_thirty_layouts_each_once() -> None:
    names = [case["name"] for case in LIST]
    assert len(names) == len({*names}) >= 30
