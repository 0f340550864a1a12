"""What changed in a slice, in the recipe's words; nothing secret, and nothing twice."""

from __future__ import annotations

from typing import Any

import pytest

from oic.tasks.changes import Change, changes


def said(stage: str, old: Any, new: Any) -> list[str]:
    return [change.text for change in changes(stage, old, new)]


def test_a_value_is_said_with_its_old_one_and_its_place() -> None:
    place = ("systemConfig", "hostname")
    assert changes("system", {"hostname": "a"}, {"hostname": "b"}) == [Change(text="hostname a → b", place=place)]
    assert said("system", {"timezone": ""}, {"timezone": "UTC"}) == ["timezone nothing → UTC"]
    assert said("boot", {"commandLine": "quiet"}, {"commandLine": ""}) == ["kernel.cmdline quiet → nothing"]


def test_lists_are_said_by_what_came_and_went() -> None:
    old, new = ({"request": {"sets": {"image": {"names": names}}}} for names in (["vim", "curl"], ["vim", "jq"]))
    found = changes("solve", old, new)
    assert [change.text for change in found] == ["package curl removed", "package jq added"]
    assert found[1].place == ("systemConfig", "packages", "jq")
    assert said("initrd", {"modules": ["a", "b"]}, {"modules": ["b", "a"]}) == ["order of kernel.enableExtraModules"]


def test_an_entry_is_told_by_its_name() -> None:
    old = {"users": [{"name": "ann", "shell": "/bin/sh", "groups": []}]}
    new = {"users": [{"name": "ann", "shell": "/bin/bash", "groups": ["adm"]}, {"name": "bob"}]}
    assert said("system", old, new) == [
        "user ann: groups adm added",
        "user ann: shell /bin/sh → /bin/bash",
        "user bob added",
    ]


def test_sizes_are_in_units() -> None:
    old = {"layout": {"partitions": [{"id": "root", "sectors": 2048, "partUuid": "1"}]}}
    new = {"layout": {"partitions": [{"id": "root", "sectors": 6144, "partUuid": "2"}]}}
    assert said("disk", old, new) == ["partition root: size 1MiB → 3MiB"]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("$6$salt$one", "$6$salt$two", "user ann: password changed"),
        ("$6$salt$one", "$6$more$two", "user ann: password or its salt changed"),
        ("", "$6$salt$two", "user ann: password or its salt changed"),
    ],
)
def test_no_password_is_said(old: str, new: str, text: str) -> None:
    users = [{"users": [{"name": "ann", "password": password}]} for password in (old, new)]
    assert said("system", *users) == [text]


def test_what_only_follows_from_another_change_is_said_alone() -> None:
    old = {"recipe": "1", "image": {"version": "1"}}
    assert said("evidence", old, {"recipe": "2", "image": {"version": "1"}}) == ["what the manifest says of the recipe"]
    assert said("evidence", old, {"recipe": "2", "image": {"version": "2"}}) == ["image.version 1 → 2"]


def test_a_long_value_and_one_with_control_characters_are_safe_to_print() -> None:
    (text,) = said("system", {"hostname": "a"}, {"hostname": "\x1b[2J" + "x" * 100})
    assert "\x1b" not in text
    assert len(text) < 90


def test_a_field_that_only_one_of_two_versions_of_oic_has_is_not_the_recipe_s() -> None:
    assert said("boot", {"name": "a"}, {"name": "a", "type": ""}) == ["oic itself is another version"]
    old, new = ({"packageSources": names} for names in ({"base": "k"}, {"base": "k", "more": ""}))
    assert said("system", old, new) == ["packageSources.more nothing → nothing"]
