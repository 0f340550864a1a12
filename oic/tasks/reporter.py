"""How progress is told: doit's console report in this project's words.

* Images are claimed before their stages are looked at, and what the host lacks is said before any work.
* A failure is its message alone; only a bug shows a traceback.
* A build's last lines are its artefacts: path, size, sha256.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from doit.exceptions import InvalidCommand
from doit.reporter import ConsoleReporter

from oic.chroot import idmap
from oic.errors import OicError, printable
from oic.progress import note
from oic.stages.evidence import products_of
from oic.tasks import claim, stage_tasks, workers

if TYPE_CHECKING:
    from doit.task import Task

    from oic.stage import Stage


class Reporter(ConsoleReporter):  # type: ignore[misc]
    """doit's console report, a failure as its message alone, and the artefacts in the last lines of a build."""

    desc = "what oic says of a build"
    notes: ClassVar[dict[str, tuple[str, ...]]] = {}
    """The notes on each image's recipe, for builds to repeat."""

    def initialize(self, tasks: dict[str, Task], selected_tasks: list[str]) -> None:
        """Remember what was asked for; claim the images whose stages may run."""
        self.tasks = tasks
        names = _closure(tasks, selected_tasks)
        try:
            for stage in _stages(tasks, names):
                claim.hold(stage.directory, stage.recipe)
            if any(name.startswith("chroot:") for name in names):
                idmap.current()  # said before the download, not after it
        except OicError as error:
            self.built = []
            raise InvalidCommand(str(error)) from None
        self.built = [name.partition(":")[2] for name in _expanded(tasks, selected_tasks) if name.startswith("build:")]
        for image in self.built:
            for text in self.notes[image]:
                note(text)

    def execute_task(self, task: Task) -> None:
        """Say that a task begins; under ``-n`` a worker has taken it up."""
        workers.watch()
        super().execute_task(task)

    def write(self, text: str) -> None:
        """Print what a terminal may have; when nobody reads any more (``| head``), the build goes on without a word."""
        try:
            super().write(printable(text))
            self.outstream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def _write_failure(self, result: dict[str, Any], write_exception: bool = True) -> None:  # noqa: FBT001, FBT002
        fail = result["exception"]
        self.write(f"{result['task'].name} failed: {fail.message}\n")
        if write_exception and fail.traceback:
            self.write("".join(fail.traceback) + "\n")

    def complete_run(self) -> None:
        """Say where the artefacts are, or nothing more of a build that failed or was stopped."""
        super().complete_run()
        if self.failures or self.runtime_errors or sys.exc_info()[0]:  # doit calls this while an exception passes, too
            return
        for image in self.built:
            stage: Stage[Any] = self.tasks[f"evidence:{image}"].actions[0].args[0]
            for product in products_of(stage):
                path, file = stage.cache / product.file.path, product.file
                self.write(f"{path}  {file.size} bytes  sha256:{file.sha256}\n")


def _closure(tasks: dict[str, Task], selected: list[str]) -> set[str]:
    """Return the names of the selected tasks and of all that they depend on."""
    todo, seen = list(selected), set[str]()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += tasks[name].task_dep
    return seen


def _stages(tasks: dict[str, Task], names: set[str]) -> list[Stage[Any]]:
    """Return a stage of each image that these tasks may touch, in a fixed order."""
    actions = [action for name in names for action in tasks[name].actions]
    stages: list[Stage[Any]] = [action.args[0] for action in actions if action.py_callable is stage_tasks.run_stage]
    return sorted({stage.image: stage for stage in stages}.values(), key=lambda stage: stage.image)


def _expanded(tasks: dict[str, Task], selected: list[str]) -> list[str]:
    return [name for task in selected for name in (tasks[task].task_dep if task == "build" else [task])]
