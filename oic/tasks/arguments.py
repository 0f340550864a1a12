"""The words of an ``oic`` command line, sorted: what to do, to which recipes, and how. Nothing is looked up here."""

from __future__ import annotations

import getopt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.errors import OicError
from oic.tasks.catalogue import ANSWERS, OF_NO_IMAGE
from oic.tasks.words import SWITCHES, VARIABLE, WORDS, words_of
from oic.values import parse_number

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option: its letter, its name, what it takes, what it does."""

    letter: str
    name: str
    takes: str
    doc: str

    @property
    def spelled(self) -> str:
        """Return how it is written."""
        letter, takes = (f"-{self.letter}, " if self.letter else "    "), (f" {self.takes}" if self.takes else "")
        return f"{letter}--{self.name}{takes}"


OPTIONS: dict[str, tuple[Option, ...]] = {
    "run": (
        Option(letter="n", name="process", takes="N", doc="run up to N tasks at once (as many as there are cores)"),
        Option(letter="c", name="continue", takes="", doc="after a failure go on with what does not need it"),
        Option(letter="a", name="always-execute", takes="", doc="run what is up to date, too"),
    ),
    "list": (
        Option(letter="", name="all", takes="", doc="each recipe's tasks"),
        Option(
            letter="s", name="status", takes="", doc="whether a build would run them: R(uns), M(ay run), U(p to date)"
        ),
        Option(letter="q", name="quiet", takes="", doc="names alone"),
        Option(letter="", name="deps", takes="", doc="the files they depend on"),
    ),
    "info": (),
    "clean": (Option(letter="", name="dry-run", takes="", doc="say what would be removed"),),
    "forget": (),
}
"""doit's commands, and of their options those that are of use with this project's tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """One of doit's commands, tasks (``build``, ``solve:edge``), recipes, ``name=value`` words, options for doit."""

    command: str
    tasks: tuple[str, ...]
    recipes: tuple[str, ...]
    given: Mapping[str, str]
    options: tuple[str, ...]

    @property
    def basenames(self) -> tuple[str, ...]:
        """Return the tasks without their images."""
        return tuple(name.partition(":")[0] for name in self.tasks)


def parse_arguments(argv: Sequence[str], tasks: Collection[str]) -> Arguments:
    """Return a command line's words sorted; raises OicError."""
    if "" in argv:
        raise OicError("expected words, found an empty one")
    command = next((word for word in argv if word in OPTIONS or _is_task(word, tasks)), "")
    command = command if command in OPTIONS else "run"
    options, rest = _options(argv, command, [word for word in argv if word in OPTIONS or _is_task(word, tasks)])
    given = words_of(rest)
    plain = [word for word in rest if "=" not in word]
    if plain and plain[0] == command:
        plain = plain[1:]
    named = tuple(word for word in plain if _is_task(word, tasks))
    recipes = [word for word in plain if word not in named]
    if len(named) == 2 and named[0] == "log":  # oic log rootfs edge.yml
        given, named = {**given, "stage": named[1].partition(":")[0]}, named[:1]
    if other := next((word for word in recipes if word in OPTIONS), None):
        raise OicError(f"expected one command, found {other} beside {command}", hint=f"the recipe: image={other}")
    if "image" in given:
        recipes.append(given["image"])
    if not recipes:
        recipes = [name.partition(":")[2] for name in named if ":" in name]
    return Arguments(
        command=command, tasks=named, recipes=tuple(dict.fromkeys(recipes)), given=given, options=tuple(options)
    )


def options_of(command: str, tasks: Collection[str] = ()) -> tuple[Option, ...]:
    """Return the options that a command takes; of `run`, those that are of use to at least one of the tasks."""
    names = {task.partition(":")[0] for task in tasks}
    if command != "run" or not names or names - {*ANSWERS, *OF_NO_IMAGE}:
        return OPTIONS[command]
    return tuple(one for one in OPTIONS["run"] if one.name == "continue" and names - OF_NO_IMAGE.keys())


def _is_task(word: str, tasks: Collection[str]) -> bool:
    return word.partition(":")[0] in tasks and "=" not in word


def _options(argv: Sequence[str], command: str, topics: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the options and the other words; `topics` are the command and the tasks on the line."""
    known = options_of(command, [word for word in topics if word != command])
    letters = "".join(one.letter + (":" if one.takes else "") for one in known if one.letter)
    names = [one.name + ("=" if one.takes else "") for one in known]
    try:
        found, rest = getopt.gnu_getopt(list(argv), letters, names)
    except getopt.GetoptError as error:
        message = f"{error.msg[:1].lower()}{error.msg[1:]}"
        help_on = f"oic help {topics[0]}" if topics else "oic help"
        near = _word_like(error.opt, argv) or f" ({help_on} lists what there is)"
        raise OicError(f"{message}{near}") from None
    for spelled, value in found:
        if value and not parse_number(value):
            raise OicError(f"expected a number of at least 1 after {spelled}, found {value}")
    return [word for pair in found for word in pair if word], rest


def _word_like(option: str, argv: Sequence[str]) -> str:
    """Return ``; did you mean format=json?`` for an option that is spelled like a ``name=value`` word."""
    name = option.partition("=")[0].replace("-", "_")
    if name not in WORDS and not name.startswith(VARIABLE):
        return ""
    spelled = next(word for word in argv if word.startswith(f"--{option.partition('=')[0]}"))
    _, equals, value = spelled.partition("=")
    if not equals and name in SWITCHES:
        value = "yes"
    elif not equals:
        value = next(iter(argv[argv.index(spelled) + 1 :]), "")
    return f"; did you mean {name}={value}?"
