"""``oic build edge.yml``: doit's commands and machinery, with this project's tasks, in any directory.

* The first word says what to do: a task, or one of doit's commands. Any other word is a recipe.
* Options and ``name=value`` words stand anywhere. No word is dropped.
* The database, the task names and the words are those of ``doit build image=edge.yml`` in a clone.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doit import loader
from doit.cmd_base import TaskLoader2
from doit.cmd_forget import Forget
from doit.cmd_run import Run
from doit.cmdparse import CmdParseError
from doit.exceptions import InvalidCommand, InvalidDodoFile, InvalidTask

from oic import progress
from oic.config.schema import did_you_mean
from oic.errors import OicError, RecipeError
from oic.tasks import catalogue, command_line, places, recipes, settings, usage, words
from oic.tasks.arguments import Arguments, parse_arguments
from oic.tasks.catalogue import ANSWERS
from oic.tasks.cleaning import Clean
from oic.tasks.command_line import Request
from oic.tasks.interrupts import end_in_order
from oic.tasks.listing import Info, List
from oic.tasks.mistakes import shown_mistake
from oic.tasks.output import Forgiving, Paint, print_anything
from oic.tasks.reporter import Reporter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doit.cmd_base import Command
    from doit.task import Task

COMMANDS = {"run": Run, "list": List, "info": Info, "clean": Clean, "forget": Forget}
_WHOLE = {"clean": ("--clean-dep",), "forget": ("--follow-sub",)}
"""How these commands take a build with all its stages, which is what they take where no task is named."""
_OF_TASKS = ("info", *_WHOLE)
AWAITS_SIGNATURES = 4
"""The exit status of a build that ended in order to have programs signed elsewhere."""
_CONFIG = {"BACKEND": {"oic": "oic.tasks.database:CommittingDB"}}


class Loader(TaskLoader2):  # type: ignore[misc]
    """Gives doit the tasks of a request."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        self.request = request

    def load_doit_config(self) -> dict[str, Any]:
        """Return doit's configuration."""
        return command_line.configuration(self.request.cache)

    def load_tasks(self, cmd: Command, pos_args: list[str]) -> list[Task]:  # noqa: ARG002 - doit's signature
        """Return every task of the recipes."""
        tasks: list[Task] = loader.generate_tasks("oic", command_line.tasks(self.request), "")
        return tasks


def main() -> None:
    """Run the command of ``sys.argv`` and exit with its status."""
    end_in_order()
    print_anything()
    progress.set_wording(words.as_oic)
    try:
        stood_in = Path.cwd()
    except FileNotFoundError:
        sys.stderr.write("error: expected a directory to work in, found that this one was removed: cd elsewhere\n")
        sys.exit(3)
    try:
        status = _run(sys.argv[1:], stood_in)
    except (OicError, CmdParseError, InvalidCommand, InvalidTask, InvalidDodoFile) as error:
        sys.stderr.write(shown_mistake(progress.worded(str(error)), stood_in, Paint.of(sys.stderr)))
        invalid = isinstance(error.__cause__, RecipeError) and "validate" in sys.argv  # which is what was asked
        status = 1 if invalid else 3
    sys.stdout.flush()
    if Forgiving.lost:
        sys.stderr.write(f"error: {Forgiving.lost}\n")
    sys.exit(status or (1 if Forgiving.lost else 0))


def _run(argv: Sequence[str], stood_in: Path) -> int:
    if text := usage.asked_for(argv):
        sys.stdout.write(text)
        return 0
    arguments = parse_arguments(argv, command_line.TASKS)
    clone = places.clone_around(stood_in)
    shelf = command_line.shelf_of(clone)
    words.check_words(arguments.given, arguments.basenames or (arguments.command,))
    _check_tasks(arguments, stood_in, shelf)
    settings.apply(arguments.given)
    request = Request(
        recipes=arguments.recipes,
        given=settings.with_variables(arguments.given, stood_in),
        stood_in=stood_in,
        clone=clone,
        cache=places.cache_directory(arguments.given.get("cache"), stood_in, clone),
    )
    images = [path.stem for path in recipes.find_recipes(arguments.recipes, stood_in, shelf)]
    command = COMMANDS[arguments.command](task_loader=Loader(request), config=_CONFIG, bin_name="oic", cmds=COMMANDS)
    whole = _WHOLE.get(arguments.command, ()) if not arguments.tasks else ()
    # Answers in the order of the recipes: one process.
    alone = ("-n", "0") if set(arguments.basenames) <= set(ANSWERS) and arguments.command == "run" else ()
    status = int(command.parse_execute([*whole, *alone, *arguments.options, *_tasks_of(arguments, images)]) or 0)
    return AWAITS_SIGNATURES if status == 1 and Reporter.awaits_signatures else status


def _check_tasks(arguments: Arguments, stood_in: Path, shelf: Path | None) -> None:
    """Raise OicError when nothing says what to do, or to which recipe; say which word is a recipe's name as well."""
    for name in dict.fromkeys(arguments.tasks):
        if files := recipes.candidates(name, stood_in, shelf):
            said = f"note: '{name}' is taken for the task; to name the recipe {files[0].name}: image={name}\n"
            sys.stderr.write(said)
    if arguments.command == "run" and not arguments.tasks:
        if not arguments.recipes:
            raise OicError("expected what to do, found nothing (oic help says what there is)")
        name = arguments.recipes[0]
        near = did_you_mean(name, [*command_line.TASKS, *COMMANDS])
        if recipes.candidates(name, stood_in, shelf):
            near = f"; to build that recipe: oic build {name}"
        raise OicError(f"'{name}' is no stage or command{near}")
    if arguments.command in _OF_TASKS and not arguments.tasks:
        _refuse_misspelled_tasks(arguments.recipes, stood_in, shelf)
    if arguments.recipes or arguments.command == "list" or _needs_no_recipe(arguments.tasks):
        return
    if not recipes.find_recipes((), stood_in, shelf):
        word = " ".join([*([] if arguments.command == "run" else [arguments.command]), *arguments.tasks])
        raise OicError(f"expected a recipe: oic {word} RECIPE.yml", hint="oic help says what a recipe is")


def _refuse_misspelled_tasks(names: Sequence[str], stood_in: Path, shelf: Path | None) -> None:
    """Raise OicError for the first of several words that could be a task's name and is no recipe's."""
    for name in names if len(names) > 1 else ():
        if not {"/", "."} & {*name} and not recipes.candidates(name, stood_in, shelf):
            near = did_you_mean(name, command_line.TASKS)
            raise OicError(f"'{name}' is neither a task nor a recipe here{near}")


def _needs_no_recipe(tasks: Sequence[str]) -> bool:
    return bool(tasks) and set(tasks) <= set(catalogue.OF_NO_IMAGE)


def _tasks_of(arguments: Arguments, images: Sequence[str]) -> list[str]:
    """Return the tasks as doit names them: `info`, `clean` and `forget` want those of each image by themselves."""
    for name in arguments.tasks:
        if ":" in name and name.partition(":")[2] not in images:
            raise OicError(f"'{name}' is no task of {' or '.join(images)}")
    if arguments.command in ("run", "list"):
        return list(arguments.tasks)
    names = arguments.tasks or (("build",) if arguments.command in _WHOLE else ())
    if arguments.command == "info" and len(names) * max(len(images), 1) != 1:
        raise OicError("expected one task and one recipe: oic info solve edge.yml")
    whole = [name for name in names if ":" in name or name in catalogue.OF_NO_IMAGE]
    return [*whole, *(f"{name}:{image}" for image in images for name in names if name not in whole)]
