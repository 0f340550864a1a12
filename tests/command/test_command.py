"""The ``oic`` command in a directory of the user's own."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from oic.plan import DOCS

from .conftest import OIC, RECIPE

if TYPE_CHECKING:
    from .conftest import Desk


def test_help_and_version_speak_of_this_tool(desk: Desk) -> None:
    assert desk.oic().out == desk.oic("--help").out == desk.oic("help").out
    overview = desk.oic("help").out
    assert "doit" not in overview
    for name in (*DOCS, "build", "validate", "list", "cache=DIRECTORY"):
        assert f"\n    {name} " in overview
    assert desk.oic("build", "--help").out == desk.oic("help", "build").out
    assert "-n, --process N" in desk.oic("help", "build").out
    assert desk.oic("--version").out.startswith("oic ")
    assert desk.oic("help", "biuld").err == (
        "error: there is no help on 'biuld'; did you mean 'build'? (oic help lists what there is)\n"
    )
    assert not list(desk.home.iterdir())


def test_what_the_help_calls_a_complete_recipe_is_one(desk: Desk) -> None:
    lines = [line[4:] for line in desk.oic("help").out.splitlines() if line.startswith(("    image:", "    target:"))]
    assert "\n".join([*lines, ""]) == RECIPE


def test_a_recipe_is_named_by_the_user_s_own_paths(desk: Desk) -> None:
    (desk.here / "below").mkdir()
    (desk.here / "first.yml").rename(desk.here / "below/first.yml")
    for name in ("below/first.yml", "below/first", str(desk.here / "below/first.yml")):
        ran = desk.oic("validate", name)
        assert (ran.status, ran.out.splitlines()[-1]) == (0, "below/first.yml: a valid recipe")
    assert (desk.home / ".cache/oic/first").is_dir()
    assert desk.oic("validate", "below/first", "cache=mine").status == 0
    assert (desk.here / "mine/first").is_dir()


def test_several_recipes_are_one_request(desk: Desk) -> None:
    (desk.here / "second.yml").write_text(RECIPE)
    ran = desk.oic("validate", "first.yml", "second.yml")
    valid = [line for line in ran.out.splitlines() if line.endswith("a valid recipe")]
    assert valid == ["first.yml: a valid recipe", "second.yml: a valid recipe"]
    assert "validate:second" in desk.oic("list", "--all", "first.yml", "second.yml").out


def test_two_recipes_of_one_name_are_refused(desk: Desk) -> None:
    (desk.here / "below").mkdir()
    (desk.here / "below/first.yml").write_text(RECIPE)
    ran = desk.oic("validate", "first.yml", "below/first.yml")
    assert ran.status == 3
    assert "found first.yml and below/first.yml" in ran.err
    assert "found first.yml twice" in desk.oic("validate", "first.yml", "./first.yml").err


def test_a_word_that_is_both_is_said_to_be(desk: Desk) -> None:
    (desk.here / "fs.yml").write_text(RECIPE)
    ran = desk.oic("info", "fs", "first.yml")
    assert ran.err == "note: 'fs' is taken for the task; to name the recipe fs.yml: image=fs\n"
    assert ran.out.startswith("fs:first\n")
    assert desk.oic("validate", "image=fs").out.endswith("fs.yml: a valid recipe\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["build"], "expected a recipe: oic build RECIPE.yml (oic help says what a recipe is)"),
        (["build", "frist"], "expected a recipe, found no file frist here; did you mean 'first'?"),
        (["build", "first", "IMAGE=first"], "found IMAGE=; did you mean 'image'?"),
        (["build", "first", "package=x"], "package=x has no effect here: it is for why"),
        (["first"], "'first' is no stage or command; to build that recipe: oic build first"),
        (["biuld", "frist"], "'biuld' is no stage or command; did you mean 'build'?"),
        (["cache=x"], "expected what to do, found nothing"),
        (["info", "first"], "expected one task and one recipe: oic info solve edge.yml"),
        (["build", "first", "-n", "many"], "expected a number of at least 1 after -n, found many"),
        (["strace", "first"], "'strace' is no stage or command"),
        (["solve:other", "first"], "'solve:other' is no task of first"),
        (["forget", "rootfs"], "expected a recipe: oic forget rootfs RECIPE.yml (oic help"),
        (["clean"], "expected a recipe: oic clean RECIPE.yml (oic help"),
        (["info", "rotfs", "first.yml"], "'rotfs' is neither a task nor a recipe here; did you mean 'rootfs'?"),
        (["info", "first.yml", "bogus"], "'bogus' is neither a task nor a recipe here"),
        (["validate", "."], "expected a recipe, found a directory: ."),
        (["validate", "/dev/null"], "expected a recipe, found no regular file: /dev/null"),
        (["--format", "json", "explain", "first"], "option --format not recognized; did you mean format=json?"),
        (["--cache", "/tmp/x", "validate", "first"], "not recognized; did you mean cache=/tmp/x?"),
        (["validate", "first", "--var.site=a=b"], "not recognized; did you mean var.site=a=b?"),
        (["-x", "first", "build"], "option -x not recognized (oic help build lists what there is)"),
        (["new", "-n", "2"], "option -n not recognized (oic help new lists what there is)"),
        (["why", "first"], "expected package=NAME on the command line, found none"),
        (["log", "first", "stage=rotfs"], "found stage=rotfs; did you mean 'rootfs'?"),
        (["new"], "expected name=NAME of letters"),
        (["new", "name=foo", "os=debain"], "found debain; did you mean 'debian'?"),
        (["new", "name=../x"], "found name=../x"),
        (["build", "first", "cache="], "expected cache=DIRECTORY, found cache= and nothing"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_dropped(words: list[str], message: str, desk: Desk) -> None:
    ran = desk.oic(*words)
    assert (ran.status, ran.out) == (3, "")
    assert ran.err.startswith("error: ")
    assert message in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_hint_about_two_files_names_each_so_that_it_means_no_other(desk: Desk) -> None:
    (desk.here / "a.yml").write_text(RECIPE)
    (desk.here / "a.yaml").write_text(RECIPE)
    assert desk.oic("validate", "a").err == (
        "error: a could be two recipes, a.yml and a.yaml (say ./a.yml or ./a.yaml)\n"
    )
    assert desk.oic("validate", "./a.yaml").out == "a.yaml: a valid recipe\n"
    (desk.here / "a").write_text(RECIPE)
    assert desk.oic("validate", "./a").out == "a: a valid recipe\n"


def test_a_directory_is_called_one_and_is_never_proposed(desk: Desk) -> None:
    (desk.here / "sites.yml").mkdir()
    assert desk.oic("validate", "sites.yml").err == "error: expected a recipe, found a directory: sites.yml\n"
    assert desk.oic("validate", "sits.yml").err == "error: expected a recipe, found no file sits.yml here\n"


def test_help_on_a_topic_has_the_options_that_are_of_use_there(desk: Desk) -> None:
    for topic in ("new", "recipes", "info"):
        assert "Options:" not in desk.oic("help", topic).out
    explain = desk.oic("help", "explain").out
    assert "--continue" in explain
    assert "--process" not in explain
    for topic in ("clean", "forget"):
        assert desk.oic("help", topic).out.startswith(f"oic {topic} ")
        assert " [TASK…] RECIPE…\n" in desk.oic("help", topic).out
    assert desk.oic("-V").out == desk.oic("--version").out


def test_each_task_is_listed_once_and_names_alone_have_no_blanks(desk: Desk) -> None:
    lines = desk.oic("list", "--all", "-q", "--status", "first.yml").out.splitlines()
    assert "R solve:first" in lines
    assert not [line for line in lines if line.split()[1] == "solve"]
    assert [line for line in lines if line != line.rstrip()] == []
    assert "solve" in desk.oic("list", "-q").out.splitlines()


def test_a_reader_that_leaves_early_ends_nothing(desk: Desk) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    argv = [OIC, "list", "--all", "first.yml"]
    done = subprocess.run(
        argv, cwd=desk.here, env=desk.environment, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", ["help", "list --all first.yml", "config first.yml", "validate first.yml"])
def test_results_that_cannot_be_written_are_a_failure(words: str, desk: Desk) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [OIC, *words.split()],
            cwd=desk.here,
            env=desk.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    said = "error: standard output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_a_directory_that_was_removed_is_no_place_to_work_in(desk: Desk) -> None:
    script = f"mkdir gone && cd gone && rmdir ../gone && exec {OIC} list"
    done = subprocess.run(
        ["sh", "-c", script], cwd=desk.here, env=desk.environment, capture_output=True, text=True, check=False
    )
    said = "error: expected a directory to work in, found that this one was removed: cd elsewhere\n"
    assert (done.returncode, done.stdout, done.stderr) == (3, "", said)


def test_what_is_cleaned_or_forgotten_is_a_recipe_s_own(desk: Desk) -> None:
    forgotten = {line.removeprefix("forgetting ") for line in desk.oic("forget", "first.yml").out.splitlines()}
    assert {"build:first", "solve:first", "disk:first"} <= forgotten
    assert all(name.endswith(":first") for name in forgotten)
    assert desk.oic("clean", "solve", "first.yml").status == 0
