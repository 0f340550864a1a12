"""The words of an ``oic`` command line: sorted, none dropped."""

from __future__ import annotations

import pytest

from oic.errors import OicError
from oic.tasks.arguments import Arguments, parse_arguments

TASKS = ("build", "solve", "fs", "why", "verify-cache")


def sorted_words(line: str) -> Arguments:
    return parse_arguments(line.split(), TASKS)


def test_a_word_that_is_no_task_or_command_is_a_recipe() -> None:
    found = sorted_words("build edge.yml solve other")
    assert (found.command, found.tasks, found.recipes) == ("run", ("build", "solve"), ("edge.yml", "other"))


@pytest.mark.parametrize("line", ["-n 2 build edge", "build -n 2 edge", "build edge -n 2", "build edge --process=2"])
def test_options_stand_anywhere(line: str) -> None:
    found = sorted_words(line)
    assert (found.tasks, found.recipes) == (("build",), ("edge",))
    assert found.options in {("-n", "2"), ("--process", "2")}


def test_an_option_is_that_of_the_command() -> None:
    assert sorted_words("list edge --status").options == ("--status",)
    with pytest.raises(OicError, match="option --status not recognized"):
        sorted_words("build edge --status")


def test_a_task_of_an_image_names_its_recipe() -> None:
    assert sorted_words("info solve:edge").recipes == ("edge",)
    assert sorted_words("info solve:edge dir/edge.yml").recipes == ("dir/edge.yml",)


def test_words_with_a_value_stand_anywhere() -> None:
    found = sorted_words("cache=/x why edge package=libc6 var.site=a=b")
    assert found.given == {"cache": "/x", "package": "libc6", "var.site": "a=b"}
    assert found.recipes == ("edge",)


def test_image_names_a_recipe_whatever_it_is_called() -> None:
    assert sorted_words("build image=fs").recipes == ("fs",)
    assert sorted_words("build").recipes == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("build var.a=1 var.a=2", "expected var.a= once, found it twice"),
        ("build image=a image=b", "expected image= once, found it twice: name several recipes as oic build ONE TWO"),
        ("build list", "expected one command, found list beside run"),
        ("build -x", "option -x not recognized (oic help build lists what there is)"),
        ("build -n", "option -n requires argument"),
        ("build -n 0", "expected a number of at least 1 after -n, found 0"),
    ],
)
def test_what_cannot_be_sorted_is_said(line: str, message: str) -> None:
    with pytest.raises(OicError) as raised:
        sorted_words(line)
    assert message in str(raised.value)


def test_an_empty_word_is_no_word() -> None:
    with pytest.raises(OicError, match="found an empty one"):
        parse_arguments(["build", ""], TASKS)
