from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from oic.config.merge import merged
from oic.config.source import parse, plain
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
    assert result == {name: low.get(name, {}) | up.get(name, {}) for name in low | up}


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


def test_immutability_stays_unless_given_and_is_then_replaced() -> None:
    low = {"immutability": {"enabled": True, "state": "x"}}
    assert system(low, {})["immutability"] == low["immutability"]
    assert system(low, {"immutability": {"enabled": False}})["immutability"] == {"enabled": False}


def test_repositories_merge_by_codename_though_one_may_occur_twice() -> None:
    low = [{"codename": "a", "url": "1"}, {"codename": "b", "url": "2"}]
    up = [{"codename": "b", "url": "3"}, {"codename": "b", "url": "4"}]
    result = over({"packageRepositories": low}, {"packageRepositories": up})["packageRepositories"]
    assert result == [low[0], *up]


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
