"""Settings of the tool and variables of recipes, from files: what comes before what."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from oic import progress
from oic.errors import OicError
from oic.tasks import settings

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Desk

NAMES = (
    "OIC_CA",
    "OIC_WORKERS",
    "OIC_LOG_LEVEL",
    "https_proxy",
    "HTTPS_PROXY",
    "http_proxy",
    "HTTP_PROXY",
    "OIC_PROXY_FILE",
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings file, and an environment that has nothing of it; what a test leaves there is taken back."""
    monkeypatch.setattr(os, "environ", {k: v for k, v in os.environ.items() if k not in NAMES})
    monkeypatch.setitem(os.environ, "XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "oic/settings.toml"
    path.parent.mkdir()
    path.write_text('ca = "ours.pem"\nproxy = "http://proxy.invalid:3128"\nworkers = 3\n')
    return path


def test_the_environment_gets_what_the_file_says(file: Path) -> None:
    settings.apply({})
    assert os.environ["OIC_CA"] == str(file.with_name("ours.pem"))
    assert os.environ["https_proxy"] == os.environ["http_proxy"] == "http://proxy.invalid:3128"
    assert settings.workers() == 3


def test_the_environment_comes_before_the_file(file: Path) -> None:
    assert file.exists()
    own = {"OIC_CA": "/own.pem", "HTTPS_PROXY": "http://own.invalid", "OIC_WORKERS": "2"}
    os.environ.update(own)
    settings.apply({})
    assert {name: os.environ[name] for name in own} == own
    assert "https_proxy" not in os.environ
    assert settings.workers() == 2


@pytest.mark.parametrize("text", ["0", "many", "-1", "1000"])
def test_a_number_of_workers_that_is_none_is_refused(file: Path, text: str) -> None:
    assert file.exists()
    os.environ["OIC_WORKERS"] = text
    with pytest.raises(OicError, match="OIC_WORKERS: expected a number from 1 to 256"):
        settings.workers()


def test_how_much_is_told_is_said_by_a_word_else_the_environment_else_the_file(file: Path) -> None:
    def told() -> list[str]:
        return [kind or "other" for kind in ("failed", "note", "", "printed") if progress.is_told(kind)]

    try:
        settings.apply({})
        assert told() == ["failed", "note", "other"]
        file.write_text('log_level = "error"\n')
        settings.apply({})
        assert told() == ["failed"]
        os.environ["OIC_LOG_LEVEL"] = "warning"
        settings.apply({})
        assert told() == ["failed", "note"]
        settings.apply({"log_level": "debug"})
        assert told() == ["failed", "note", "other", "printed"]
    finally:
        progress.set_level(progress.INFO)


def test_a_level_that_is_none_is_refused_wherever_it_is_said(file: Path) -> None:
    os.environ["OIC_LOG_LEVEL"] = "loud"
    with pytest.raises(OicError, match=r"^OIC_LOG_LEVEL: expected one of error, warning, info, debug, found 'loud'$"):
        settings.apply({})
    file.write_text("log_level = 3\n")
    with pytest.raises(OicError, match=r"settings\.toml: expected one of error, .* such as log_level"):
        settings.apply({})


@pytest.mark.parametrize(("level", "notes", "stages"), [("error", 0, 0), ("warning", 2, 0), ("info", 2, 1)])
def test_a_failure_is_said_at_every_level(level: str, notes: int, stages: int, desk: Desk) -> None:
    recipe = desk.here / "first.yml"
    recipe.write_text(recipe.read_text().replace("imageType: raw", "imageType: raw, mirror: 'http://127.0.0.1:1/'"))
    with recipe.open("a") as file:
        file.write("systemConfig:\n  kernel: {uki: true, name: x}\n")
    ran = desk.oic("build", "first.yml", f"log_level={level}")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.count("metadata:first failed: http://127.0.0.1:1/") == 1
    assert (ran.err.count("note: "), ran.err.count(".  metadata:first")) == (notes, stages)


def test_a_proxy_of_the_settings_that_fails_is_looked_for_there(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = desk.here / "first.yml"
    recipe.write_text(recipe.read_text().replace("imageType: raw", "imageType: raw, mirror: 'http://mirror.invalid/'"))
    file = desk.home / ".config/oic/settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text('proxy = "http://127.0.0.1:1"\n')
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    said = desk.oic("metadata", "first.yml").err
    assert "the proxy cannot be used: Connection refused" in said
    assert f"(is the proxy in {file} right?)" in said


def test_each_failure_of_several_recipes_is_said_once(desk: Desk) -> None:
    text = (desk.here / "first.yml").read_text()
    for name in ("one", "two"):
        text = text.replace("imageType: raw}", "imageType: raw, mirror: 'http://127.0.0.1:1/'}")
        (desk.here / f"{name}.yml").write_text(text)
    ran = desk.oic("build", "-c", "-n", "1", "one.yml", "two.yml", "format=json", "log_level=error")
    assert [line.split(" failed: ")[0] for line in ran.err.splitlines()] == ["metadata:one", "metadata:two"]
    failures = json.loads(ran.out)["failures"]
    assert [entry["task"] for entry in failures] == json.loads(ran.out)["failed"] == ["metadata:one", "metadata:two"]
    assert all(entry["message"].startswith("http://127.0.0.1:1/") for entry in failures)


def test_variables_of_a_file_come_after_the_command_line_s_and_before_the_environment_s(desk: Desk) -> None:
    (desk.here / "site.yml").write_text("site: berlin\nnumber: 007\nplace: file\n")
    with (desk.here / "first.yml").open("a") as recipe:
        recipe.write("systemConfig: {hostname: '${site}-${number}-${place}-${last}'}\n")
    ran = desk.oic("config", "first.yml", "vars=site.yml", "var.place=word", "var.last=x")
    assert ran.status == 0, ran.err
    assert "  hostname: berlin-007-word-x\n" in ran.out


@pytest.mark.parametrize("text", ["site: [a]\n", "1x: a\n", "site: true\n", "- a\n"])
def test_a_file_of_something_else_is_no_file_of_variables(text: str, tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text(text)
    with pytest.raises(OicError, match=r"site\.yml:1: .*expected"):
        settings.with_variables({"vars": "site.yml"}, tmp_path)
    with pytest.raises(OicError, match="found nothing of this name"):
        settings.with_variables({"vars": "none.yml"}, tmp_path)
