"""The ``name=value`` words of a command line: which there are, and what each may say.

None is dropped: a name that is unknown, said twice, or of no use to what was asked for is an error.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oic.config.schema import did_you_mean
from oic.errors import OicError
from oic.values import parse_number

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

LOG_LEVELS = ("error", "warning", "info", "debug")
"""How much is told, from least to most."""
_MOST_SECONDS = 10**7
_VALUES = {
    "dry_run": ("yes", "no"),
    "buildable": ("yes", "no"),
    "solve": ("yes", "no"),
    "format": ("yaml", "json"),
    "origins": ("yes", "no"),
    "secrets": ("yes", "no"),
    "log_level": LOG_LEVELS,
}
SWITCHES = tuple(name for name, values in _VALUES.items() if values == ("yes", "no"))
VARIABLE = "var."
_DOIT_IMAGE = r"\bdoit ([a-z][a-z-]*) image=([^\s,;:)]+)"
_DOIT = r"\bdoit ([a-z][a-z-]*)\b"

WORDS: dict[str, tuple[tuple[str, ...], str]] = {
    "image": ((), "RECIPE"),
    "cache": ((), "DIRECTORY: where everything is written"),
    "log_level": ((), f"LEVEL: how much is told: {', '.join(LOG_LEVELS)} (as info, and what programs print)"),
    "vars": ((), "FILE: values of variables of recipes, name: value in YAML"),
    "keys": (("update",), "new: take the new keys of the recipe's repositories"),
    "format": (("build", "config", "explain", "list", "recipes", "why"), "json: print results as JSON"),
    "buildable": (("validate",), "yes: fail where it cannot be built yet"),
    "stage": (("log",), "NAME: the stage in question"),
    "solve": (("validate",), "yes: choose the packages as well, as a build would"),
    "origins": (("config",), "yes: print the file and line of each value too"),
    "secrets": (("config",), "yes: print passwords too"),
    "dry_run": (("prune",), "yes: only say what would be removed"),
    "package": (("why",), "NAME: the package in question"),
    "word": (("recipes",), "WORD: only the recipes that have it"),
    "name": (("new",), "NAME: what the recipe and its image are called"),
    "os": (("new",), "OS: the operating system, such as debian"),
    "dist": (("new",), "DIST: the distribution, such as debian13"),
    "from": (("sign-import",), "DIRECTORY: where the signed programs are"),
    "timeout": (("boot-test",), "SECONDS: how long a boot may take"),
}
"""By name: the tasks that it is for, unless it is for any, and what it says."""


def as_oic(text: str) -> str:
    """Return a text in which ``doit TASK image=RECIPE`` is said as ``oic TASK RECIPE``."""
    return re.sub(_DOIT, r"oic \1", re.sub(_DOIT_IMAGE, r"oic \1 \2", text))


def words_of(words: Iterable[str]) -> dict[str, str]:
    """Return the ``name=value`` words among all of a command line; raises OicError for one said twice."""
    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if word.startswith("-") or not equals:
            continue
        if name in given:
            hint = ": name several recipes as oic build ONE TWO" if name == "image" else ""
            raise OicError(f"expected {name}= once, found it twice{hint}")
        given[name] = value
    return given


def check_words(given: Mapping[str, str], tasks: Collection[str] | None = None) -> None:
    """Raise OicError for a word that is unknown, has a wrong value, or says nothing to the `tasks` asked for."""
    for name, value in given.items():
        if name.startswith(VARIABLE):
            continue
        if name not in WORDS:
            known = ", ".join(f"{one}=" for one in WORDS)
            raise OicError(f"expected {known} or var.NAME=, found {name}={did_you_mean(name, WORDS)}")
        takers, _ = WORDS[name]
        if takers and tasks is not None and not set(takers) & set(tasks):
            raise OicError(f"{name}={value} has no effect here: it is for {', '.join(takers)}")
    if given.get("keys", "new") != "new":
        message = f"expected keys=new, by which update takes a repository's new keys, found keys={given['keys']}"
        raise OicError(message)
    for name, values in _VALUES.items():
        if name in given and given[name] not in values:
            raise OicError(f"expected {' or '.join(f'{name}={one}' for one in values)}, found {name}={given[name]}")
    seconds = parse_number(given.get("timeout", "0"))
    if seconds is None or seconds > _MOST_SECONDS:
        raise OicError(f"expected timeout=SECONDS, found timeout={given['timeout']}")


def check_variables(given: Mapping[str, str], used: Collection[str]) -> None:
    """Raise OicError for a variable that no recipe uses."""
    if idle := sorted(set(given) - set(used)):
        names = ", ".join(f"{VARIABLE}{name}=" for name in idle)
        there = f"; there: {', '.join(sorted(used))}" if used else ""
        near = did_you_mean(idle[0], used) or there
        raise OicError(f"{names} has no effect: no recipe here has ${{{idle[0]}}}{near}")


def variables_in(given: Mapping[str, str]) -> dict[str, str]:
    """Return the recipe's variables."""
    return {name.removeprefix(VARIABLE): value for name, value in given.items() if name.startswith(VARIABLE)}
