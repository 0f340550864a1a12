"""Answers: tasks that say something at once, on standard output, and change nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from oic.errors import OicError, printable
from oic.handover.packages import LockFile
from oic.tasks import words
from oic.tasks.database import tasks_that_ran
from oic.values import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oic.config.model import FinalConfig
    from oic.ospackage.lock import Lock
    from oic.stage import Stage


def say(text: str) -> None:
    """Print a text on standard output."""
    sys.stdout.write(f"{printable(text)}\n")
    sys.stdout.flush()


def validate(config: FinalConfig) -> None:
    """Say what of a recipe has no effect, and what cannot be built yet."""
    for note in config.notes:
        say(f"note: {note}")
    for reason in config.unbuilt:
        say(f"not built yet: {reason}")
    say(f"{config.recipe}: a valid recipe" + (", but not one that can be built yet" if config.unbuilt else ""))


def print_config(config: FinalConfig, given: Mapping[str, str]) -> None:
    """Print the whole recipe."""
    from oic.config.printed import recipe_text  # noqa: PLC0415 - only where it is needed

    text = recipe_text(
        config.recipe,
        words.variables_in(given),
        lock=config.lock,
        as_json=given.get("format") == "json",
        origins=given.get("origins") == "yes",
        secrets=given.get("secrets") == "yes",
    )
    say(text)


def explain(config: FinalConfig, stages: Sequence[Stage[Any]], given: Mapping[str, str]) -> None:
    """Say what a build would run, and why."""
    from oic.tasks.explain import Explained  # noqa: PLC0415 - only where it is needed

    run = tasks_that_ran(stages[0].cache / "doit.db")
    explained = Explained(config.recipe, stages, run, words.variables_in(given))
    as_json = given.get("format") == "json"
    say(to_json(explained.plain()).rstrip("\n") if as_json else "\n".join(explained.lines()))


def why(stages: Sequence[Stage[Any]], name: str) -> None:
    """Say why a package is in the image."""
    from oic.ospackage.graph import why as ways  # noqa: PLC0415 - networkx is slow to import

    if not name:
        raise OicError("why: expected package=NAME on the command line, found none")
    lock = lock_of(stages[0])
    for path in ways(lock.sets["image"], name):
        say("\n  ".join(path))


def lock_of(stage: Stage[Any]) -> Lock:
    """Return the lock that a stage wrote."""
    return LockFile.from_text(stage.path(LockFile.FILE).read_text(encoding="utf-8")).lock
