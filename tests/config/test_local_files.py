"""Where a file of the recipe is looked for, and what is said of it."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from oic.config.final import load_config
from oic.errors import RecipeError

from .conftest import HEAD

if TYPE_CHECKING:
    from pathlib import Path

    from oic.config.model import FinalConfig


def recipe(folder: Path, local: str, more: str = "") -> FinalConfig:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "own.yml"
    path.write_text(f"{HEAD}{more}systemConfig: {{additionalFiles: [{{local: {local}, final: /x}}]}}\n")
    return load_config(path, {})


def found(config: FinalConfig) -> Path:
    return config.system.files[-1].local


def file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    return path


def test_a_file_is_looked_for_beside_then_above_up_to_the_root_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / "repository/.git").mkdir(parents=True)
    file(tmp_path / "files/a")
    high = file(tmp_path / "repository/files/a")
    config = recipe(tmp_path / "repository/one/two", "files/a")
    assert found(config) == high
    (note,) = config.notes
    assert note == (
        f"{config.recipe}:3: systemConfig.additionalFiles[0].local: "
        f"{high} goes into the image, from outside the recipe's directory"
    )
    near = file(tmp_path / "repository/one/two/files/a")
    assert found(recipe(tmp_path / "repository/one/two", "files/a")) == near


@pytest.mark.parametrize("local", ["files/a", "../files/a", "../../files/a"])
def test_nothing_above_the_repository_is_taken_by_looking_above(local: str, tmp_path: Path) -> None:
    (tmp_path / "repository/.git").mkdir(parents=True)
    file(tmp_path / "files/a")
    config = recipe(tmp_path / "repository/one/two", local)
    assert [one.final for one in config.system.files] == ["/etc/systemd/network/80-dhcp.network"]
    assert "expected a file, found none at" in config.notes[0]
    assert config.notes[0].endswith("; it is left out of the image")
    assert config.unbuilt == ()


def test_without_a_repository_the_home_directory_is_the_highest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    high = file(tmp_path / "home/files/a")
    assert found(recipe(tmp_path / "home/one/two", "files/a")) == high
    file(tmp_path / "files/b")
    assert len(recipe(tmp_path / "home/one/two", "files/b").system.files) == 1
    file(tmp_path / "other/files/a")
    assert len(recipe(tmp_path / "other/one/two", "files/a").system.files) == 1, "everybody may write there"


def test_a_file_of_a_parent_is_looked_for_beside_the_parent_too(tmp_path: Path) -> None:
    own = file(tmp_path / "low/motd")
    (tmp_path / "low/low.yml").write_text(HEAD)
    config = recipe(tmp_path, "motd", "extends: low/low.yml\n")
    assert found(config) == own
    assert config.notes == ()


@pytest.mark.parametrize("local", ["files/80-dhcp.network", "../additionalfiles/80-dhcp.network"])
def test_a_file_of_the_distribution_is_found_by_its_name_here_or_in_public_templates(
    local: str, tmp_path: Path
) -> None:
    config = recipe(tmp_path, local)
    assert found(config).name == "80-dhcp.network"
    assert config.notes == ()


def test_the_installer_of_public_templates_is_told_of_as_this_projects(tmp_path: Path) -> None:
    config = recipe(tmp_path, "../../general/isolinux/attendedinstaller")
    (note,) = config.notes
    assert note.endswith(": attendedinstaller stands for this project's installer, which only an initramfs has")


def entries(config: FinalConfig) -> list[tuple[str, str, str, str | None]]:
    """Kind, place, mode and link of each file, but for the distribution's own."""
    return [
        (one.kind, one.final, f"{one.mode:o}", one.content if one.kind == "link" else None)
        for one in config.system.files[1:]
    ]


def test_a_directory_is_taken_with_all_that_is_in_it(tmp_path: Path) -> None:
    file(tmp_path / "own/b/file")
    file(tmp_path / "own/a.sh").chmod(0o755)
    (tmp_path / "own/link").symlink_to("b/file")
    (tmp_path / "own/out").symlink_to("/etc/shadow")
    assert entries(recipe(tmp_path, "own")) == [
        ("directory", "/x", "755", None),
        ("file", "/x/a.sh", "755", None),
        ("directory", "/x/b", "755", None),
        ("file", "/x/b/file", "644", None),
        ("link", "/x/link", "777", "b/file"),
        ("link", "/x/out", "777", "/etc/shadow"),
    ]


def test_a_directory_with_what_is_no_file_is_refused(tmp_path: Path) -> None:
    file(tmp_path / "own/a")
    os.mkfifo(tmp_path / "own/pipe")
    with pytest.raises(
        RecipeError, match=r"expected files and directories, found the device, pipe or socket .*/own/pi"
    ):
        recipe(tmp_path, "own")


def test_a_file_may_be_in_the_recipe_itself(tmp_path: Path) -> None:
    path = tmp_path / "own.yml"
    path.write_text(f'{HEAD}systemConfig: {{additionalFiles: [{{content: "a\\nb\\n", final: /x, mode: "0600"}}]}}\n')
    (own,) = load_config(path, {}).system.files[1:]
    assert (own.kind, own.content, own.mode) == ("file", "a\nb\n", 0o600)
    assert own.sha256 == hashlib.sha256(b"a\nb\n").hexdigest()
