from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oic.config.merge import merged
from oic.config.source import plain
from oic.config.trees import parse
from oic.values import to_json

from .conftest import HEAD

if TYPE_CHECKING:
    from .conftest import Load


def over(lower: Any, upper: Any) -> Any:
    """Merge two plain values through their text, as recipes come (JSON is YAML)."""
    return plain(merged(parse(to_json(lower).encode(), Path("low")), parse(to_json(upper).encode(), Path("up"))))


def system(lower: Any, upper: Any) -> Any:
    return over({"systemConfig": lower}, {"systemConfig": upper})["systemConfig"]


names = st.sampled_from(["a", "b", "c", "d"])
users = st.lists(
    st.fixed_dictionaries({"name": names}, optional={"shell": st.sampled_from(["/1", "/2"]), "sudo": st.booleans()}),
    unique_by=lambda user: str(user["name"]),
)
files = st.lists(st.fixed_dictionaries({"final": names, "local": names}), unique_by=lambda file: file["final"])
systems = st.fixed_dictionaries(
    {},
    optional={
        "hostname": names,
        "packages": st.lists(names, unique=True),
        "kernel": st.dictionaries(st.sampled_from(["cmdline", "version"]), names),
        "users": users,
        "additionalFiles": files,
    },
)


@given(systems)
def test_over_itself_nothing_changes(value: dict[str, Any]) -> None:
    assert system(value, value) == value


@given(systems)
def test_nothing_over_something_is_that(value: dict[str, Any]) -> None:
    assert system(value, {}) == value
    assert system({}, value) == value


@given(systems, systems, systems)
def test_it_does_not_matter_which_two_are_merged_first(one: Any, two: Any, three: Any) -> None:
    assert system(system(one, two), three) == system(one, system(two, three))


@given(st.sampled_from(["packages", "scriptletsMayFail"]), st.lists(names), st.lists(names))
def test_lists_of_names_keep_their_first_occurrence(field: str, lower: list[str], upper: list[str]) -> None:
    assert system({field: lower}, {field: upper})[field] == list(dict.fromkeys(lower + upper))


@given(users, users)
def test_users_merge_by_name_and_field(lower: list[dict[str, Any]], upper: list[dict[str, Any]]) -> None:
    result = {user["name"]: user for user in system({"users": lower}, {"users": upper})["users"]}
    low, up = ({user["name"]: user for user in some} for some in (lower, upper))
    both = low.keys() & up.keys()
    without = {name: {key: low[name][key] for key in low[name] if key != "sudo" or name not in both} for name in low}
    assert result == {name: without.get(name, {}) | up.get(name, {}) for name in low | up}


def test_a_file_is_replaced_whole_and_keeps_its_place() -> None:
    low = [{"local": "x", "final": "/a", "extra": "1"}, {"local": "y", "final": "/b"}]
    up = [{"local": "z", "final": "/a"}, {"local": "w", "final": "/c"}]
    result = system({"additionalFiles": low}, {"additionalFiles": up})["additionalFiles"]
    assert result == [up[0], low[1], up[1]]


def test_commands_are_appended() -> None:
    one, two = {"cmd": "true"}, {"cmd": "true"}
    assert system({"configurations": [one]}, {"configurations": [two]})["configurations"] == [one, two]


def test_kernel_packages_are_replaced_and_other_fields_kept() -> None:
    low = {"kernel": {"packages": ["a"], "cmdline": "quiet", "uki": True}}
    assert system(low, {"kernel": {"packages": ["b"]}})["kernel"] == {
        "packages": ["b"],
        "cmdline": "quiet",
        "uki": True,
    }


def test_a_disk_replaces_the_whole_disk() -> None:
    assert over({"disk": {"size": "1G", "name": "a"}}, {"disk": {"name": "b"}}) == {"disk": {"name": "b"}}


@pytest.mark.parametrize("key", ["immutability", "fde", "kernel", "bootloader"])
def test_some_mappings_merge_field_by_field_and_an_empty_value_counts_as_absent(key: str) -> None:
    low = {key: {"a": "1", "b": "2", "c": ["3"]}}
    assert system(low, {})[key] == low[key]
    assert system(low, {key: {"a": "9", "b": "", "c": [], "d": ""}})[key] == {**low[key], "a": "9", "d": ""}


def test_interfaces_of_a_network_are_replaced_by_name() -> None:
    low = {"network": {"backend": "netplan", "interfaces": [{"name": "a", "dhcp4": True}, {"name": "b"}]}}
    up = {"network": {"interfaces": [{"name": "a", "addresses": ["192.0.2.1/24"]}, {"name": "c"}]}}
    result = system(low, up)["network"]
    one, three = up["network"]["interfaces"]
    assert result == {"backend": "netplan", "interfaces": [one, {"name": "b"}, three]}


def test_a_user_joins_groups_and_has_sudo_only_from_above() -> None:
    low = {"users": [{"name": "a", "groups": ["x", "y"], "sudo": True, "password": "p", "hash_algo": "md5"}]}
    up = {"users": [{"name": "a", "groups": ["y", "z"], "password": "$6$s$h", "shell": ""}]}
    assert system(low, up)["users"] == [{"name": "a", "groups": ["x", "y", "z"], "password": "$6$s$h", "shell": ""}]


def test_an_excluded_package_leaves_the_lower_list_and_a_wanted_one_comes_back() -> None:
    low = {"packages": ["a", "b", "c"]}
    middle = system(low, {"packages": ["d"], "excludePackages": ["b"]})
    assert middle == {"packages": ["a", "c", "d"], "excludePackages": ["b"]}
    assert system(middle, {"packages": ["b"]}) == {"packages": ["a", "c", "d", "b"], "excludePackages": []}


def test_repositories_merge_by_codename_url_and_path_together() -> None:
    low = [{"codename": "a", "url": "1"}, {"codename": "b", "url": "2"}, {"codename": "b", "path": "/p"}]
    up = [{"codename": "b", "url": "2", "component": "x"}, {"codename": "b", "url": "2", "component": "y"}]
    result = over({"packageRepositories": low}, {"packageRepositories": up})["packageRepositories"]
    assert result == [low[0], low[2], *up]
    files = [{"packages": ["a.deb"]}, {"packages": ["b.deb"]}]
    result = over({"packageRepositories": files[:1]}, {"packageRepositories": files[1:]})["packageRepositories"]
    assert result == files


def test_a_unit_masked_above_is_not_enabled_and_the_reverse() -> None:
    low = {"services": {"enable": ["a", "b.service"], "mask": ["c"]}}
    result = system(low, {"services": {"mask": ["b"], "enable": ["c.service", "d"]}})["services"]
    assert result == {"enable": ["a", "c.service", "d"], "mask": ["b"]}


def test_parts_are_merged_from_low_to_high_and_the_recipe_wins(load: Load, tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "base.yml").write_text("systemConfig: {hostname: base, timezone: Etc/UTC, packages: [one]}\n")
    (parts / "net.yml").write_text(
        "include: [base.yml]\nsystemConfig: {hostname: net, locale: C.UTF-8, packages: [two]}\n"
    )
    (parts / "motd.yml").write_text(
        "include: [base.yml]\nsystemConfig: {additionalFiles: [{local: motd, final: /etc/motd}], packages: [three]}\n"
    )
    (parts / "motd").write_text("hello\n")
    config = load("include: [parts/net.yml, parts/motd.yml]\nsystemConfig: {hostname: own, packages: [one, four]}\n")
    assert (config.system.hostname, config.system.timezone, config.system.locale) == ("own", "Etc/UTC", "C.UTF-8")
    assert config.system.packages[-4:] == ("one", "two", "three", "four")
    assert config.system.files[-1].local == parts / "motd"


def test_image_and_target_may_come_from_a_part(load: Load, tmp_path: Path) -> None:
    (tmp_path / "head.yml").write_text(HEAD)
    assert load("include: [head.yml]\n", head="").image.name == "small"
