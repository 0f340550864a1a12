"""Repositories of a distribution that are off by default, and how a recipe turns them on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from oic.plan import plan

from .test_repositories import ACME, RPM, acme, host, with_target

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Complain, Load

__all__ = ["acme"]  # a fixture

FURTHER = """  - {name: later, path: ../later/os, enabled: false, priority: 501, hostRepositories: [later], keys: [/k]}
  - {name: source, path: source, enabled: false, keys: [/k]}
tools:"""
WITH = ACME.replace("tools:", FURTHER)
EMT = RPM.replace("os: acme", "os: edge-microvisor-toolkit").replace("acme7", "emt3")


@pytest.fixture
def further(acme: Path) -> Path:
    acme.write_text(WITH)
    return acme


@pytest.mark.usefixtures("further")
def test_they_are_off_until_the_recipe_names_them(load: Load) -> None:
    config = load("", head=RPM)
    assert [entry.name for entry in config.repositories] == ["base"]
    assert config.distribution.off == ("later", "source")
    config = load("", head=with_target("repositories: [later]"))
    base, later = config.repositories
    assert (base.priority, later.priority) == (500, 501)
    assert (base.further, later.further) == (False, True)
    assert later.url == "https://acme.invalid/later/os"
    assert config.distribution.off == ("source",)
    assert load("", head=with_target("repositories: [base]")).repositories == load("", head=RPM).repositories


@pytest.mark.usefixtures("further")
def test_a_mirror_has_them_beside_it(load: Load, complain: Complain, tmp_path: Path) -> None:
    def url(mirror: str) -> str:
        return load("", head=with_target(f"repositories: [later], mirror: '{mirror}'")).repositories[1].url

    assert url("https://m.invalid/a/$releasever/") == "https://m.invalid/a/later/os"
    assert url("file:///srv/acme") == "file:///srv/later/os"
    assert url("https://m.invalid/acme") == "https://m.invalid/later/os"
    (line,) = complain("", head=with_target("repositories: [later], mirror: 'https://m.invalid'"))
    assert "expected a mirror below ../later/os, where later is, found https://m.invalid (the mirror's URL is" in line
    host(tmp_path / "host", "[acme]\nbaseurl=https://h.invalid/a\n[later]\nbaseurl=https://h.invalid/b\n")
    config = load("", head=with_target("repositories: [later], mirror: host"), root=tmp_path / "host")
    assert [entry.url for entry in config.repositories] == ["https://h.invalid/a", "https://h.invalid/b"]


@pytest.mark.usefixtures("further")
def test_a_name_that_is_none_is_told(complain: Complain) -> None:
    (line,) = complain("", head=with_target("repositories: [latre]"))
    expected = "expected one of the distribution's further repositories, later, source, found 'latre'"
    assert f"target.repositories[0]: {expected}; did you mean 'later'?" in line


def test_a_distribution_without_further_ones_says_so(complain: Complain) -> None:
    head = (
        RPM.replace("os: acme", "os: azure-linux").replace("acme7", "azl3").replace("raw}", "raw, repositories: [x]}")
    )
    (line,) = complain("", head=head)
    assert "target.repositories[0]: expected none: it has no further, found 'x'" in line


def test_data_without_a_repository_that_is_on_are_refused(acme: Path, complain: Complain) -> None:
    acme.write_text(ACME.replace("    imageKey", "    enabled: false\n    imageKey"))
    lines = complain("", head=RPM)
    assert any("repositories: expected a repository that is on by default, found none" in line for line in lines)


def test_the_toolkit_s_next_repository(load: Load) -> None:
    assert [entry.name for entry in load("", head=EMT).repositories] == ["edge-base"]
    base, following = load("", head=EMT.replace("raw}", "raw, repositories: [edge-next]}")).repositories
    assert following.url == "https://files-rs.edgeorchestration.intel.com/files-edge-orch/microvisor/rpms/next/base"
    assert following.priority > base.priority
    assert following.keys == base.keys
    assert not following.signed_metadata


def test_which_stages_see_that_one_is_turned_on(load: Load, tmp_path: Path) -> None:
    def seen(head: str) -> dict[str, object]:
        return {stage.name: stage.origin() for stage in plan(load("", head=head), tmp_path)}

    before, after = seen(EMT), seen(EMT.replace("raw}", "raw, repositories: [edge-next]}"))
    assert {name for name in before if before[name] != after[name]} == {"metadata", "solve", "verify", "system"}
