"""One real build of each package family, to which every test in this directory returns."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest
from standin.fixtures import Standin, standin

from oic.files import digest_of_file

from .families import DEB, FAMILIES, RPM, Family
from .place import Place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from oic.values import Digest


__all__ = ["standin"]


@dataclass(frozen=True, kw_only=True)
class Built:
    """A place with a finished build, its snapshot, and the digests of its disk and hand-overs."""

    place: Place
    snapshot: Path
    outputs: dict[str, Digest]


@pytest.fixture(
    params=[pytest.param(one, id=one.name, marks=() if one is DEB else pytest.mark.slow) for one in FAMILIES]
)
def family(request: pytest.FixtureRequest) -> Family:
    """Each package family in turn; tests with different rows for each family use `families.each` instead."""
    return cast("Family", request.param)


@pytest.fixture(scope="session")
def builds(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Callable[[Family], Built]:
    """Return a function that builds a family's recipe, only once for each family."""
    done: dict[str, Built] = {}

    def build(family: Family) -> Built:
        if family.name not in done:
            repositories = request.getfixturevalue("standin") if family is RPM else None
            done[family.name] = _built(family, tmp_path_factory.mktemp(family.name), repositories)
        return done[family.name]

    return build


def _built(family: Family, root: Path, repositories: Standin | None) -> Built:
    variables = {"OIC_DISTRIBUTIONS": str(root / "distributions")}
    if repositories:
        shutil.copy(repositories.ca, root / "ca.crt")  # other users must be able to read it, too
        variables["OIC_CA"] = str(root / "ca.crt")
    mirror = repositories.urls[family.dist] if repositories else ""
    family.make_distribution(root / "distributions", mirror)
    place = Place(root=root / "place", family=family, family_variables=variables)
    place.root.mkdir()
    place.write(family.recipe)
    if seed := os.environ.get("OIC_TEST_STORE"):  # packages of an earlier run; each is verified again
        shutil.copytree(seed, place.cache / "store", copy_function=os.link)
    place.doit("build").succeeded()
    place.keep(root / "snapshot")
    return Built(place=place, snapshot=root / "snapshot", outputs=outputs_of(place))


@pytest.fixture
def built(family: Family, builds: Callable[[Family], Built]) -> Built:
    return builds(family)


@pytest.fixture
def place(built: Built) -> Place:
    """Return the place in the state after the first build."""
    built.place.restore(built.snapshot)
    return built.place


def outputs_of(place: Place) -> dict[str, Digest]:
    """Return the digests of the disk and of each hand-over."""
    found = [*place.image.glob("*.json"), *place.image.glob("*.raw")]
    return {path.name: digest_of_file(path) for path in found if path.name != "metadata-http.json"}
