from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from oic.config.final import load_config
from oic.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from oic.config.model import FinalConfig

MIRROR = "https://mirror.invalid/debian"
HEAD = f"""image: {{name: small, version: 1.0}}
target: {{os: debian, dist: debian12, arch: x86_64, imageType: raw, mirror: {MIRROR}}}
"""
"""Two lines that make any recipe complete, with a mirror that is never asked."""


class Load(Protocol):
    def __call__(
        self, body: str, *, head: str = ..., name: str = ..., variables: Mapping[str, str] = ..., **options: Path
    ) -> FinalConfig: ...


class Complain(Protocol):
    def __call__(self, body: str, *, head: str = ..., variables: Mapping[str, str] = ...) -> list[str]: ...


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Write a recipe whose first two lines are HEAD and load it."""

    def loaded(
        body: str, *, head: str = HEAD, name: str = "small.yml", variables: Mapping[str, str] = {}, **options: Path
    ) -> FinalConfig:
        recipe = tmp_path / name
        recipe.write_text(head + body, encoding="utf-8")
        return load_config(recipe, variables, **options)

    return loaded


@pytest.fixture
def complain(load: Load, tmp_path: Path) -> Complain:
    """Return the problems of a recipe, a line each, without the folder's name."""

    def complaints(body: str, *, head: str = HEAD, variables: Mapping[str, str] = {}) -> list[str]:
        with pytest.raises(RecipeError) as caught:
            load(body, head=head, variables=variables)
        return str(caught.value).replace(f"{tmp_path}/", "").splitlines()

    return complaints
