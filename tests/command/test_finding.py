"""``oic recipes`` finds recipes, ``oic new`` starts one: a recipe that is complete, with comments that are right."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml

from oic.config.distribution import known_distributions
from oic.config.final import load_config
from oic.config.model import Target
from oic.config.schema import schema_of
from oic.config.starter import starter_text
from oic.plan import plan

if TYPE_CHECKING:
    from .conftest import Desk

PROJECT = Path(__file__).parents[2]
GATEWAY = """metadata:
  description: >
    A gateway
    of a site
  use_cases: [routing]
  keywords: [Edge, vpn]
image: {name: gateway, version: 1.0.0}
target: {os: debian, dist: debian13, arch: x86_64, imageType: raw}
"""


def test_recipes_are_listed_with_what_they_are_for_and_other_files_are_not(desk: Desk) -> None:
    (desk.here / "gateway.yml").write_text(GATEWAY)
    (desk.here / "part.yml").write_text("systemConfig: {hostname: a}\n")
    (desk.here / "broken.yml").write_text("image: [\n")
    ran = desk.oic("recipes")
    assert ran.status == 0
    assert ran.out.splitlines() == [
        "first.yml    debian12 x86_64 raw  ",
        "gateway.yml  debian13 x86_64 raw  A gateway of a site",
        "             use cases: routing",
        "             keywords: Edge, vpn",
    ]


@pytest.mark.parametrize(
    ("word", "found"), [("edge", ["gateway.yml"]), ("DEBIAN12", ["first.yml"]), ("site", ["gateway.yml"]), ("x y", [])]
)
def test_a_word_of_any_case_chooses_the_recipes_that_have_it(desk: Desk, word: str, found: list[str]) -> None:
    (desk.here / "gateway.yml").write_text(GATEWAY)
    ran = desk.oic("recipes", f"word={word}", "format=json")
    assert [entry["file"] for entry in json.loads(ran.out)] == found
    assert desk.oic("recipes", f"word={word}").out.startswith("" if found else "no recipe here has the word x y")


def test_in_a_clone_its_recipes_are_listed_too(tmp_path: Path) -> None:
    doit = Path(sys.executable).with_name("doit")
    argv = [str(doit), "-f", str(PROJECT / "dodo.py"), "recipes", "format=json", f"cache={tmp_path}"]
    done = subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True, text=True)
    shipped = {os.path.relpath(path, tmp_path): path for path in (PROJECT / "recipes").glob("*.yml")}
    found = {entry["file"]: entry for entry in json.loads(done.stdout)}
    assert set(found) == set(shipped)
    assert all(entry["description"] for entry in found.values())


@pytest.mark.parametrize("name", known_distributions())
def test_a_new_recipe_is_complete_and_its_comments_are_right(name: str, tmp_path: Path) -> None:
    os_, dist = name.split("/")
    text = starter_text("my_box", Target(os=os_, dist=dist, arch="x86_64", image_type="raw"), "x")
    mirror = "imageType: raw\n  mirror: https://mirror.invalid/x\n"
    whole = re.sub(r"^( *)# (?=[ ]*(- )?[A-Za-z_]+:|Welcome| *- [a-z\[])", r"\1", text, flags=re.MULTILINE)
    whole = re.sub(r"^yaml-language-server.*\n", "", whole).replace("  mirror: https://mirror.example", "  # ")
    for number, one in enumerate((text, whole)):
        recipe = tmp_path / f"my_box{number}.yml"
        recipe.write_text(one.replace("imageType: raw\n", mirror))
        config = load_config(recipe, {})
        assert config.unbuilt == ()
        (note,) = [note for note in config.notes if not note.startswith("not yet as ")]
        assert "the password of an example" in note, "which is to be changed, as its comment says"
        assert plan(config, tmp_path / "cache")
        jsonschema.Draft202012Validator(schema_of("recipe")).validate(yaml.safe_load(one))
    assert [user.ssh_authorized_keys != () for user in config.system.users] == [True], "comments were taken away"
    assert config.system.network.interfaces
    assert config.system.files[-1].final == "/etc/motd"


def test_a_new_recipe_is_valid_where_it_was_written_and_replaces_nothing(desk: Desk) -> None:
    ran = desk.oic("new", "name=box", "dist=debian12")
    assert (ran.status, "box.yml: a recipe of debian/debian12" in ran.out) == (0, True)
    assert (
        (desk.here / "box.yml")
        .read_text()
        .startswith(f"# yaml-language-server: $schema={PROJECT}/oic/schemas/recipe.schema.json\n")
    )
    assert desk.oic("validate", "box.yml").status == 0
    again = desk.oic("new", "name=box", "os=ubuntu", "dist=ubuntu24")
    assert again.status != 0
    assert "expected a name that no file has, found one" in again.err
    assert "debian12" in (desk.here / "box.yml").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["name=a/b", "dist=debian12"], "expected name=NAME of letters, digits, '-' and '_'"),
        (["name=store", "dist=debian12"], "the cache has a directory of that name"),
        (["dist=debian12"], "found none"),
        (["name=a"], "expected os= and dist=, one of: os=azure-linux dist=azl3, os=debian dist=debian12"),
        (["name=a", "os=debian"], "one of: os=debian dist=debian12, os=debian dist=debian13"),
        (["name=a", "dist=debian21"], "found debian21; did you mean 'debian13'?"),
        (["name=a", "os=debian", "dist=azl3"], "expected os= and dist=, one of: "),
    ],
)
def test_what_new_cannot_make_is_said_in_a_line(desk: Desk, words: list[str], said: str) -> None:
    ran = desk.oic("new", *words)
    assert ran.status == 3
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert sorted(path.name for path in desk.here.glob("*.yml")) == ["first.yml"]
