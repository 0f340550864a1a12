"""A dependency comes from the repository of what needs it, as with debs; a priority below 500 counts as 500."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from oic.errors import SolveError
from oic.handover.packages import Index
from oic.ospackage.http import HttpFetcher
from oic.ospackage.store import Store
from oic.provider.protocol import Previous
from oic.provider.rpm.metadata import read_metadata
from oic.provider.rpm.solve import solve

from .test_against_dnf import Case, request_for

if TYPE_CHECKING:
    from pathlib import Path

Packages = dict[str, list[dict[str, Any]]]


def chosen(place: Path, repositories: Packages, *names: str, **priorities: int) -> dict[str, str]:
    """Return ``version repository`` by name; a repository named ``base…`` is the distribution's own."""
    priorities = {name: priorities.get(name, 500) for name in repositories}
    case = Case(name="made", why="made", data={"repositories": repositories, "priorities": priorities})
    store = Store(place / "store")
    with HttpFetcher() as fetcher:
        index = read_metadata(case.repositories(place / "made"), "x86_64", fetcher, store, Previous()).index
    own = [replace(one, group="" if one.name.startswith("base") else one.name) for one in index.repositories]
    lock = solve(Index(architecture="x86_64", repositories=tuple(own)), request_for(names), store)
    return {one.name: f"{one.version} {one.repository}" for one in lock.sets["image"]}


def package(nevra: str, *requires: str) -> dict[str, Any]:
    return {"nevra": nevra, **({"requires": list(requires)} if requires else {})}


VENDOR: Packages = {
    "base": [package("lib-2-1.x86_64"), package("other-2-1.x86_64"), package("tool-1-1.x86_64", "lib >= 2")],
    "vendor": [
        package("app-1-1.x86_64", "lib", "other"),
        package("lib-1-1.x86_64"),
        package("other-1-1.x86_64", "deeper"),
        package("deeper-1-1.x86_64"),
    ],
}


def test_dependencies_come_from_the_repository_of_what_needs_them(tmp_path: Path) -> None:
    assert chosen(tmp_path, VENDOR, "app") == {
        "app": "1-1 vendor",
        "lib": "1-1 vendor",
        "other": "1-1 vendor",
        "deeper": "1-1 vendor",
    }


def test_one_that_another_package_refuses_is_of_the_base(tmp_path: Path) -> None:
    found = chosen(tmp_path, VENDOR, "app", "tool")
    assert (found["lib"], found["other"]) == ("2-1 base", "1-1 vendor")


def test_what_is_asked_for_by_name_is_the_newest(tmp_path: Path) -> None:
    assert chosen(tmp_path, VENDOR, "app", "lib")["lib"] == "2-1 base"


def test_priority_comes_before_affinity(tmp_path: Path) -> None:
    repositories = {"base": [package("app-1-1.x86_64", "lib"), package("lib-1-1.x86_64")]}
    assert chosen(tmp_path / "a", {**repositories, "more": [package("lib-0-1.x86_64")]}, "app", more=600)["lib"] == (
        "0-1 more"
    )
    assert chosen(tmp_path / "b", {**repositories, "more": [package("lib-2-1.x86_64")]}, "app")["lib"] == "1-1 base"


def test_two_demands_that_no_version_fits_are_named(tmp_path: Path) -> None:
    repositories = {
        "base": [package("lib-1-1.x86_64")],
        "vendor": [package("a-1-1.x86_64", "lib = 1"), package("b-1-1.x86_64", "lib = 2"), package("lib-2-1.x86_64")],
    }
    with pytest.raises(SolveError) as raised:
        chosen(tmp_path, repositories, "a", "b")
    assert "lib = 1" in str(raised.value)
    assert "lib = 2" in str(raised.value)
