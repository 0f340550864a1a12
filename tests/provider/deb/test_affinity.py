"""A dependency comes from the repository of what needs it: the public tool's documented cases, and their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from ospackage.asked import asked

from oic.errors import SolveError
from oic.handover.packages import Index
from oic.ospackage.store import Store
from oic.provider.deb.solve import solve

from .test_priorities_against_apt import Drawn, index_of

if TYPE_CHECKING:
    from pathlib import Path

Packages = dict[str, list[tuple[str, str, str]]]


def chosen(place: Path, repositories: Packages, *names: str, **priorities: int) -> dict[str, str]:
    """Return ``version repository`` by name; a repository named ``base…`` is the distribution's own."""
    case = Drawn(
        repositories={
            repository: [
                {"Package": name, "Version": version, **({"Depends": depends} if depends else {})}
                for name, version, depends in packages
            ]
            for repository, packages in repositories.items()
        },
        priorities={name: priorities.get(name, 500) for name in repositories},
        allowed={},
        asked=list(names),
    )
    store = Store(place)
    index = index_of(case, store)
    own = [replace(one, group="" if one.name.startswith("base") else one.name) for one in index.repositories]
    lock = solve(Index(architecture="amd64", repositories=tuple(own)), asked(*names, essential=False), store)
    return {one.name: f"{one.version} {one.repository}" for one in lock.sets["image"]}


def test_a_parent_with_dependencies(tmp_path: Path) -> None:
    repositories: Packages = {
        "base": [("libssl", "1.2.0", "")],
        "intel1": [("myapp", "2.0.0", "libssl, libcrypto"), ("libssl", "1.1.0", ""), ("libcrypto", "1.1.0", "")],
    }
    assert chosen(tmp_path, repositories, "myapp") == {
        "myapp": "2.0.0 intel1",
        "libssl": "1.1.0 intel1",
        "libcrypto": "1.1.0 intel1",
    }


def test_transitive_dependencies(tmp_path: Path) -> None:
    repositories: Packages = {
        "base": [("zlib", "1.2.8", "")],
        "intel2": [("customtools", "1", "libxml"), ("libxml", "2", "zlib"), ("zlib", "1.2.5", "")],
    }
    found = chosen(tmp_path, repositories, "customtools")
    assert found == {"customtools": "1 intel2", "libxml": "2 intel2", "zlib": "1.2.5 intel2"}


def test_what_the_repository_does_not_have_comes_from_the_base(tmp_path: Path) -> None:
    repositories: Packages = {"base": [("missinglib", "1", "")], "intel1": [("special", "1", "missinglib")]}
    assert chosen(tmp_path, repositories, "special") == {"special": "1 intel1", "missinglib": "1 base"}


def test_two_demands_that_no_version_fits_are_named(tmp_path: Path) -> None:
    repositories: Packages = {
        "base": [("libtest", "0.1", "")],
        "intel1": [("a", "1", "libtest (= 0.1)"), ("b", "2", "libtest (= 0.2)"), ("libtest", "0.2", "")],
    }
    with pytest.raises(SolveError) as raised:
        chosen(tmp_path, repositories, "a", "b")
    assert "libtest (= 0.1)" in str(raised.value)
    assert "libtest (= 0.2)" in str(raised.value)


def test_a_version_that_does_not_fit_is_not_taken(tmp_path: Path) -> None:
    repositories: Packages = {
        "base": [("lib", "2", "")],
        "vendor": [("app", "1", "lib (>= 2)"), ("lib", "1", "")],
    }
    assert chosen(tmp_path, repositories, "app")["lib"] == "2 base"


def test_a_nearer_version_that_another_package_refuses_is_not_taken(tmp_path: Path) -> None:
    repositories: Packages = {
        "base": [("lib", "2", ""), ("tool", "1", "lib (>= 2)")],
        "vendor": [("app", "1", "lib"), ("lib", "1", "")],
    }
    assert chosen(tmp_path, repositories, "app", "tool")["lib"] == "2 base"


def test_one_refused_version_does_not_keep_the_others_back(tmp_path: Path) -> None:
    repositories: Packages = {
        "base": [("lib", "2", ""), ("other", "2", ""), ("tool", "1", "lib (>= 2)")],
        "vendor": [("app", "1", "lib, other"), ("lib", "1", ""), ("other", "1", "")],
    }
    found = chosen(tmp_path, repositories, "app", "tool")
    assert (found["lib"], found["other"]) == ("2 base", "1 vendor")


def test_priority_comes_before_affinity(tmp_path: Path) -> None:
    repositories: Packages = {"base": [("lib", "1", "")], "vendor": [("app", "1", "lib"), ("lib", "2", "")]}
    assert chosen(tmp_path, repositories, "app", vendor=400)["lib"] == "1 base"
    repositories = {"base": [("app", "1", "lib"), ("lib", "1", "")], "vendor": [("lib", "0.5", "")]}
    assert chosen(tmp_path, repositories, "app", vendor=600)["lib"] == "0.5 vendor"


def test_a_package_of_the_base_has_its_dependencies_of_the_base(tmp_path: Path) -> None:
    repositories: Packages = {"base": [("app", "1", "lib"), ("lib", "1", "")], "vendor": [("lib", "2", "")]}
    assert chosen(tmp_path, repositories, "app")["lib"] == "1 base"
    assert chosen(tmp_path, repositories, "app", "lib")["lib"] == "2 vendor", "asked for by name"


def test_the_repositories_of_the_distribution_are_one(tmp_path: Path) -> None:
    repositories: Packages = {
        "base": [("app", "1", "lib"), ("lib", "1", "")],
        "base-security": [("lib", "1.1", "")],
        "vendor": [("lib", "2", "")],
    }
    assert chosen(tmp_path, repositories, "app")["lib"] == "1.1 base-security"


def test_the_first_package_that_needs_it_decides(tmp_path: Path) -> None:
    repositories: Packages = {
        "base": [("lib", "3", "")],
        "one": [("first", "1", "lib"), ("lib", "1", "")],
        "two": [("second", "1", "lib"), ("lib", "2", "")],
    }
    assert chosen(tmp_path, repositories, "first", "second")["lib"] == "1 one"
    assert chosen(tmp_path, repositories, "second", "first")["lib"] == "2 two"


def test_a_version_that_both_have_is_taken_from_the_nearer_repository(tmp_path: Path) -> None:
    repositories: Packages = {"base": [("lib", "1", "")], "vendor": [("app", "1", "lib"), ("lib", "1", "")]}
    assert chosen(tmp_path, repositories, "app")["lib"] == "1 vendor"
