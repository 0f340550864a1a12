"""Recipes in the style of public templates, ``goldens/*.yml``, and what each is once all is merged: ``goldens/final/``.

A recipe begins with the rule of *Merging* that it shows, as the page on recipes has it.
``python -m config.golden`` in ``tests/`` writes the final configs: read the difference before it is committed.
"""

from __future__ import annotations

from pathlib import Path

from oic.config.final import load_config
from oic.config.printed import recipe_text

FOLDER = Path(__file__).with_name("goldens")
FINAL = FOLDER / "final"
RECIPES = sorted(FOLDER.glob("*.yml"))
VARIABLES = {"site": "berlin"}


def final_text(recipe: Path) -> str:
    """Return a recipe with all it is made of; raises RecipeError."""
    load_config(recipe, VARIABLES)
    return recipe_text(recipe, VARIABLES).rstrip() + "\n"


def main() -> None:
    """Write the final config of each recipe."""
    FINAL.mkdir(exist_ok=True)
    for recipe in RECIPES:
        (FINAL / recipe.name).write_text(final_text(recipe), encoding="utf-8")


if __name__ == "__main__":
    main()
