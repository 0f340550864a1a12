"""One real build, from the host's own mirror, that every test of this folder goes back to."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from oic.files import digest_of_file

from .place import RECIPE, Place, make_distribution

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from oic.values import Digest


@dataclass(frozen=True, kw_only=True)
class Built:
    """A place where a build has finished, the snapshot of it, and the digest of its disk and hand-overs."""

    place: Place
    snapshot: Path
    outputs: dict[str, Digest]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    root = tmp_path_factory.mktemp("rebuild")
    make_distribution(root / "distributions")
    place = Place(root=root / "place", distributions=root / "distributions")
    place.root.mkdir()
    place.write(RECIPE)
    if seed := os.environ.get("OIC_TEST_STORE"):  # packages of an earlier run; each is verified again
        shutil.copytree(seed, place.cache / "store", copy_function=os.link)
    place.doit("build").succeeded()
    place.keep(root / "snapshot")
    return Built(place=place, snapshot=root / "snapshot", outputs=outputs_of(place))


@pytest.fixture
def place(built: Built) -> Iterator[Place]:
    """The place, as the first build left it."""
    built.place.restore(built.snapshot)
    return built.place


def outputs_of(place: Place) -> dict[str, Digest]:
    """Return the digest of the disk and of each hand-over."""
    found = [*place.image.glob("*.json"), *place.image.glob("*.raw")]
    return {path.name: digest_of_file(path) for path in found if path.name != "metadata-http.json"}
