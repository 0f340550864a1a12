"""Answers: tasks that say something at once, on standard output, and change nothing."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from oic.config.schema import did_you_mean
from oic.errors import OicError, printable
from oic.handover.packages import LockFile
from oic.tasks import claim, words
from oic.tasks.database import tasks_that_ran
from oic.tasks.mistakes import from_here
from oic.values import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from oic.config.model import FinalConfig
    from oic.ospackage.lock import Lock
    from oic.stage import Stage


_COMMAND_LOG = r"(?m)^configurations\[.*, its output is in (command-\d+\.log)$"


def say(text: str) -> None:
    """Print a text on standard output."""
    sys.stdout.write(f"{printable(text)}\n")
    sys.stdout.flush()


def validate(config: FinalConfig, stages: Sequence[Stage[Any]], given: Mapping[str, str], stood_in: Path) -> None:
    """Say what of a recipe has no effect, and what cannot be built yet; of one that was solved, how large it is."""
    recipe = from_here(str(config.recipe), stood_in)
    for note in config.notes:
        say(f"note: {from_here(note, stood_in)}")
    for reason in config.unbuilt:
        say(f"not built yet: {from_here(reason, stood_in)}")
    if config.unbuilt and given.get("buildable") == "yes":
        raise OicError("expected a recipe that can be built, found what is not built yet", where=recipe)
    say(f"{recipe}: a valid recipe" + (", but not one that can be built yet" if config.unbuilt else ""))
    if given.get("solve") == "yes":
        for name, packages in sorted(lock_of(stages[0]).sets.items()):
            size = sum(package.size for package in packages)
            say(f"  {len(packages)} packages for the {name}, {size / 1e6:.1f} MB to download")


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


def explain(config: FinalConfig, stages: Sequence[Stage[Any]], given: Mapping[str, str], stood_in: Path) -> None:
    """Say what a build would run, and why."""
    from oic.tasks.explain import Explained  # noqa: PLC0415 - only where it is needed

    claim.refuse_namesake(stages[0].directory, config.recipe)
    run = tasks_that_ran(stages[0].cache / "doit.db")
    explained = Explained(config.recipe, stages, run, words.variables_in(given))
    as_json = given.get("format") == "json"
    say(
        to_json(explained.plain()).rstrip("\n")
        if as_json
        else "\n".join(explained.lines(from_here(str(config.recipe), stood_in)))
    )


def check_why(given: Mapping[str, str]) -> None:
    """Raise OicError when no package is named."""
    if not given.get("package"):
        raise OicError("expected package=NAME on the command line, found none")


def why(stages: Sequence[Stage[Any]], given: Mapping[str, str]) -> None:
    """Say why a package is in the image."""
    from oic.ospackage.graph import why as ways  # noqa: PLC0415 - networkx is slow to import

    name = given["package"]
    found = ways(lock_of(stages[0]).sets["image"], name)
    if given.get("format") == "json":
        say(to_json({"package": name, "why": found}).rstrip("\n"))
        return
    for path in found:
        say("\n  ".join(path))


def check_log(stages: Sequence[Stage[Any]], given: Mapping[str, str]) -> None:
    """Raise OicError when the stage that is named is none of the recipe's."""
    named, names = given.get("stage", ""), [stage.name for stage in stages]
    if named and named not in names:
        near = did_you_mean(named, names)
        raise OicError(f"expected a stage out of {', '.join(names)}, found stage={named}{near}")


def log(config: FinalConfig, stages: Sequence[Stage[Any]], given: Mapping[str, str]) -> None:
    """Print the log of the stage that is named, else of the first that did not run to its end, else of the last."""
    kept = [stage for stage in stages if stage.log.exists()]
    named = given.get("stage", "")
    found = [stage for stage in kept if stage.name == named or not named]
    unfinished = [stage for stage in found if not stage.origin_file.exists()]
    if not found:
        what = f"of {named}" if named else "yet"
        raise OicError(f"there is no log {what} ({config.recipe.name}): no program has run")
    stage = (unfinished or found[-1:])[0]
    text = stage.log.read_text("utf-8", "replace")
    for file, said in [(stage.log, text), *_logs_of_commands(stage.log, text)]:
        say(f"{file}:\n{said.rstrip()}")


def _logs_of_commands(log: Path, text: str) -> Iterator[tuple[Path, str]]:
    """Yield the logs of the recipe's commands, which the stage's own log names."""
    for name in re.findall(_COMMAND_LOG, text):
        file = log.with_name(name)
        if file.exists():
            yield file, file.read_text("utf-8", "replace")


def lock_of(stage: Stage[Any]) -> Lock:
    """Return the lock that a stage wrote."""
    return LockFile.from_text(stage.path(LockFile.FILE).read_text(encoding="utf-8")).lock
