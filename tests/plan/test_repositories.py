"""Which repositories image and tools are solved from: the same digest as ever where they are the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from oic.config.final import load_config
from oic.config.repository import Key, Repository
from oic.plan.maker import Maker
from oic.plan.packages import package_stages, request_of
from oic.stages import metadata
from oic.values import digest_of

RECIPES = Path(__file__).parents[2] / "recipes"
OTHER = Repository(name="other", url="https://other.invalid", keys=(Key(source="https://other.invalid/key"),))


@pytest.mark.parametrize("name", ["minimal", "azl3-minimal", "elxr12-edge"])
def test_a_request_of_a_distributions_own_repositories_names_none(name: str) -> None:
    """It has the digest of its plain words: a lock that was kept before still answers its recipe."""
    request = request_of(load_config(RECIPES / f"{name}.yml", {}))
    sets = {name: {"names": list(asked.names), "essential": asked.essential} for name, asked in request.sets.items()}
    plain = {"architecture": request.architecture, "recommends": request.recommends, "sets": sets}
    assert digest_of(request) == digest_of(plain)


def test_the_tools_are_not_taken_from_a_repository_of_the_image_alone() -> None:
    config = load_config(RECIPES / "minimal.yml", {})
    own = tuple(entry.name for entry in config.repositories)
    more = replace(config, repositories=(OTHER, *config.repositories))
    sets = request_of(more).sets
    assert sets["image"].repositories is UNSET, "there are no others"
    assert sets["tools"].repositories == own
    stages = {stage.name: stage for stage in package_stages(Maker(config=more, cache=Path("/cache")))}
    fetched = stages["metadata"].slice
    assert isinstance(fetched, metadata.Slice)
    assert {entry.name for entry in fetched.repositories} == {"other", *own}


def test_the_image_is_not_taken_from_a_repository_of_the_tools_alone() -> None:
    config = load_config(RECIPES / "minimal.yml", {})
    request = request_of(replace(config, repositories=(OTHER,)))
    own = tuple(entry.name for entry in config.repositories)
    found = {name: asked.repositories for name, asked in request.sets.items()}
    assert found == {"image": ("other",), "tools": own}
