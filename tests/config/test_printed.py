"""A printed recipe is a recipe: it means the same, can be edited, and says where each value comes from."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from oic.config.final import load_config
from oic.config.printed import recipe_text
from oic.plan import plan
from oic.values import to_json

from .conftest import HEAD, MIRROR

if TYPE_CHECKING:
    from .conftest import Load

RECIPES = Path(__file__).parents[2] / "recipes"


def slices(recipe: Path) -> dict[str, Any]:
    """What each stage of a recipe sees; the manifest's digest of the whole among it."""
    config = load_config(recipe, {})
    return {stage.name: to_json(stage.slice) for stage in plan(config, recipe.parent / "cache")}


def printed(recipe: Path, **options: Any) -> Path:
    """Print a recipe into its own directory."""
    other = recipe.with_name("printed.yml")
    other.write_text(recipe_text(recipe, {}, **options))
    return other


@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("*.yml")), ids=lambda path: path.stem)
def test_a_shipped_recipe_printed_means_the_same(recipe: Path, tmp_path: Path) -> None:
    shutil.copytree(RECIPES / "files", tmp_path / "files")
    copy = tmp_path / recipe.name
    copy.write_text(recipe.read_text().replace("imageType: raw", f"imageType: raw\n  mirror: {MIRROR}"))
    once = printed(copy, secrets=True)
    assert slices(once) == slices(copy)
    text = once.read_text()
    assert recipe_text(once, {}, secrets=True).split("\n")[1:] == text.split("\n")[1:], "printed again it is the same"


RICH = """include: [parts/one.yml]
extends: low/low.yml
lock: own.json
systemConfig:
  hostname: edge-${site}
  excludePackages: [e2fsprogs]
  kernel: {name: x, uki: true}
  users:
    - {name: admin, password: "a: b # c", groups: [video]}
    - {name: "007", password: $6$salt$hash}
  additionalFiles:
    - {local: files/own, final: /etc/own}
    - {local: files/80-dhcp.network, final: /etc/two}
  configurations:
    - {cmd: "for x in $${list}; do echo ${site} $x; done"}
    - cmd: |
        one
          two
"""


@pytest.fixture
def rich(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recipe of several files that uses what is hard to print."""
    monkeypatch.setenv("OIC_VAR_site", "berlin")
    target = f"target: {{os: debian, dist: debian12, arch: x86_64, imageType: raw, mirror: {MIRROR}}}\n"
    for path, text in {
        "parts/one.yml": "systemConfig: {additionalFiles: [{local: own, final: /etc/part}]}\n",
        "parts/own": "of the part",
        "low/low.yml": f"image: {{name: low, version: 1}}\n{target}systemConfig:\n  additionalFiles:\n"
        "    - {local: own, final: /etc/low}\n  users: [{name: admin, groups: [audio], sudo: true}]\n",
        "low/own": "of the parent",
        "files/own": "of the recipe",
        "own.json": "{}",
        "rich.yml": HEAD + RICH,
    }.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path / "rich.yml"


def test_a_recipe_of_many_files_printed_means_the_same(rich: Path) -> None:
    once = printed(rich, secrets=True, lock=rich.with_name("own.json"))
    assert slices(once) == slices(rich)
    data = yaml.safe_load(once.read_text())
    assert data["defaults"] is False
    assert data["lock"] == "own.json"
    assert "include" not in data
    assert "extends" not in data
    assert data["systemConfig"]["hostname"] == "edge-berlin"
    assert data["systemConfig"]["configurations"] == [
        {"cmd": "for x in $${list}; do echo berlin $x; done"},
        {"cmd": "one\n  two\n"},
    ]
    assert {file["local"] for file in data["systemConfig"]["additionalFiles"]} == {
        "files/80-dhcp.network", "files/own", "low/own", "parts/own",
    }  # fmt: skip
    assert set(data["systemConfig"]["kernel"]) == {"cmdline", "packages"}


def test_package_files_of_a_part_are_found_from_the_printed_recipe(load: Load, tmp_path: Path) -> None:
    (tmp_path / "parts/debs").mkdir(parents=True)
    (tmp_path / "parts/debs/a.deb").write_text("a")
    (tmp_path / "parts/b.zip").write_text("b")
    pinned = f"{{url: b.zip, sha256: {hashlib.sha256(b'b').hexdigest()}}}"
    part = f"packageRepositories: [{{packages: [debs, {pinned}, https://a.invalid/c.tgz]}}]\n"
    (tmp_path / "parts/part.yml").write_text(part)
    recipe = load("include: [parts/part.yml]\n").recipe
    once = printed(recipe)
    files = [config.repositories[-1].files for config in (load_config(recipe, {}), load_config(once, {}))]
    assert [file.name for file in files[1]] == ["parts/debs/a.deb", "parts/b.zip", "https://a.invalid/c.tgz"]
    assert [(file.path, file.sha256) for file in files[1]] == [(file.path, file.sha256) for file in files[0]]


def test_what_is_deleted_from_a_printed_recipe_is_gone(load: Load) -> None:
    once = printed(load("").recipe)
    assert "dbus" in load_config(once, {}).system.packages
    once.write_text(once.read_text().replace("    - dbus\n", ""))
    assert "dbus" not in load_config(once, {}).system.packages


def test_passwords_are_redacted_and_a_build_refuses_the_word(load: Load) -> None:
    body = "systemConfig: {users: [{name: a, password: sesame}, {name: b}]}\n"
    recipe = load(body).recipe
    assert "sesame" not in recipe_text(recipe, {}, origins=True)
    assert "sesame" not in recipe_text(recipe, {}, as_json=True)
    (reason,) = load_config(printed(recipe), {}).unbuilt
    assert reason.endswith("systemConfig.users[0].password: expected the password of a, found <redacted>")
    assert load_config(printed(recipe, secrets=True), {}).unbuilt == ()


def test_each_value_is_followed_by_the_place_it_comes_from(rich: Path) -> None:
    once = printed(rich, origins=True, secrets=True, lock=rich.with_name("own.json"))
    assert slices(once) == slices(rich), "it is still a recipe"
    lines = once.read_text().splitlines()
    assert "  hostname: edge-berlin  # rich.yml:7, ${site}" in lines
    assert "    - initramfs-tools  # debian/debian12/raw-x86_64.yml:42" in lines
    assert "    - local: low/own  # low/low.yml:5" in lines
    assert "    - cmd: |  # rich.yml:18" in lines
    names = [line.rpartition("  # ")[2].partition(":")[0] for line in lines[1:] if "  # " in line]
    assert set(names) == {"rich.yml", "low/low.yml", "parts/one.yml", "debian/debian12/raw-x86_64.yml"}


def test_as_json_it_is_the_same_data(rich: Path) -> None:
    whole = json.loads(recipe_text(rich, {}, as_json=True, origins=True))
    assert whole["recipe"] == json.loads(recipe_text(rich, {}, as_json=True))
    assert whole["origins"]["systemConfig.hostname"] == "rich.yml:7, ${site}"
    assert whole["recipe"]["systemConfig"]["configurations"][0]["cmd"] == "for x in ${list}; do echo berlin $x; done"
    assert whole["recipe"]["systemConfig"]["users"][0]["password"] == "<redacted>"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@example("0\n")
@example("a\nb ")
@example(" \n a\n\n")
@example("\na")
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])).filter(lambda text: text.strip()))
def test_any_text_comes_back(tmp_path: Path, text: str) -> None:
    recipe = tmp_path / "small.yml"
    told = text.replace("${", "$${") if "$${" not in text else "x"
    recipe.write_text(HEAD + yaml.safe_dump({"systemConfig": {"configurations": [{"cmd": told}]}}))
    first = load_config(recipe, {}).system.commands
    for origins in (False, True):
        assert load_config(printed(recipe, origins=origins), {}).system.commands == first
