"""The copy of a template that `foreign` builds: what is changed in it, and which files come with it."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
import yaml

from .copied import copy_template, rewrite
from .mirrors import Mirror

TEMPLATES = Path(__file__).with_name("templates")
URL = "https://localhost:1"
CHANGED = ("mirror", "mirrorKeys", "url", "pkey", "pkeys")


def copied(name: str, place: Path) -> Path:
    copy = copy_template(TEMPLATES / name, place / "copy")
    mirror = Mirror(dist="x", tree=place, target=["mirror: '{url}/own'", "mirrorKeys: ['{url}/own/key']"])
    rewrite(copy, URL, mirror)
    return copy


@pytest.mark.parametrize("name", ["elxr12-vendor.yml", "emt3-vendor.yml"])
def test_only_mirror_urls_and_keys_of_a_copy_are_changed(name: str, tmp_path: Path) -> None:
    copy = copied(name, tmp_path)
    for file in copy.parent.glob("*.yml"):
        if file.name.startswith(name.partition("-")[0]):
            before, after = ((folder / file.name).read_text().splitlines() for folder in (TEMPLATES, copy.parent))
            new = [line[2:] for line in difflib.ndiff(before, after) if line.startswith("+ ")]
            assert new
            assert all(any(f"{key}:" in line for key in CHANGED) and URL in line for line in new)


def test_each_repository_has_a_directory_and_its_key(tmp_path: Path) -> None:
    recipe = yaml.safe_load(copied("elxr12-vendor.yml", tmp_path).read_text())
    found = [(entry["url"], entry["pkey"]) for entry in recipe["packageRepositories"]]
    key = f"{URL}/key.asc"
    assert found == [
        (f"{URL}/vendor1", key),
        (f"{URL}/vendor2", key),
        (f"{URL}/vendor2", key),
        (f"{URL}/vendor3", "[trusted=yes]"),
        ("<URL>", "<PUBLIC_KEY_URL>"),
    ]
    assert (recipe["target"]["mirror"], recipe["target"]["mirrorKeys"]) == (f"{URL}/own", [f"{URL}/own/key"])


def test_the_parent_of_a_template_is_changed_as_well(tmp_path: Path) -> None:
    copy = copied("emt3-vendor.yml", tmp_path)
    child, parent = (
        yaml.safe_load((copy.parent / name).read_text()) for name in ("emt3-vendor.yml", "emt3-parent.yml")
    )
    assert child["target"] == parent["target"]
    assert {child["packageRepositories"][0]["url"], parent["packageRepositories"][0]["url"]} == {
        f"{URL}/vendor1",
        f"{URL}/vendor2",
    }


def test_files_that_a_template_names_come_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "given/one"
    (folder / "files").mkdir(parents=True)
    (folder / "files/beside").write_text("beside")
    (tmp_path / "given/more").mkdir()
    (tmp_path / "given/more/above").write_text("above")
    (folder / "a.yml").write_text(
        "systemConfig:\n  additionalFiles:\n"
        "    - {local: files/beside, final: /a}\n    - {local: ../more/above, final: /b}\n"
        "    - {local: more/above, final: /c}\n    - {local: none, final: /d}\n"
    )
    copy = copy_template(folder / "a.yml", tmp_path / "copy")
    assert (copy.parent / "files/beside").read_text() == "beside"
    assert (copy.parent.parent / "more/above").read_text() == "above"
    assert not (copy.parent / "none").exists()
