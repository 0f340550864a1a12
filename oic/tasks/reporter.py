"""How progress is told: doit's reporter in this project's words.

* Images are claimed before their stages are looked at, and what the host lacks is said before any work.
* A failure is its message alone; only a bug shows a traceback.
* Standard output has the artefacts of a build, a line each; everything else goes to standard error.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, ClassVar

from doit.exceptions import InvalidCommand, UnmetDependency
from doit.reporter import ConsoleReporter

from oic.chroot import idmap
from oic.errors import OicError
from oic.progress import worded
from oic.tasks import catalogue, claim, on_demand, stage_tasks, summary, workers
from oic.tasks.mistakes import from_here, shown_failure
from oic.tasks.outlook import why_stale
from oic.tasks.screen import Screen
from oic.values import ImageName

if TYPE_CHECKING:
    from doit.exceptions import BaseFail
    from doit.task import Task

    from oic.stage import Stage
    from oic.tasks.summary import Asked


class Reporter(ConsoleReporter):  # type: ignore[misc]
    """Tells a run: each task when it begins or is reused, failures as their message, and what came of it."""

    desc = "what oic says of a build"
    asked: ClassVar[Asked]
    """What the user asked for, as far as it decides what is said."""
    awaits_signatures: ClassVar[bool] = False
    """Whether everything that failed waits for signatures."""

    def initialize(self, tasks: dict[str, Task], selected_tasks: list[str]) -> None:
        """Remember what was asked for; claim the images whose stages may run."""
        self.tasks = tasks
        self.screen = Screen()
        self.ran: list[str] = []
        self.reused: list[str] = []
        self.built: list[str] = []
        self.begun = time.monotonic()
        names = _closure(tasks, selected_tasks)
        try:
            for name in sorted(names):
                on_demand.check(tasks[name])
            on_demand.check_together(names)
            only_reads = {name.partition(":")[0] for name in selected_tasks} <= set(catalogue.ANSWERS)
            for stages in _stages(tasks, names):
                # An answer from what is up to date waits for nobody; a stage that runs all the same claims for itself.
                if not only_reads or any(why_stale(stage) for stage in stages):
                    claim.hold(stages[0].directory, stages[0].recipe)
            if any(name.startswith("chroot:") for name in names):
                idmap.current()  # said before the download, not after it
        except OicError as error:
            raise InvalidCommand(str(error)) from None
        self.alone = len(self.asked.notes) == 1
        self.built = [name.partition(":")[2] for name in _expanded(tasks, selected_tasks) if name.startswith("build:")]
        for image in self.built:
            for text in self.asked.notes[ImageName(image)]:
                self.screen.line(f"note: {from_here(text, self.asked.stood_in)}", "note")
        self.screen.expect_work()
        workers.watch()

    def execute_task(self, task: Task) -> None:
        """Say that a task begins; under ``-n`` a worker has taken it up."""
        workers.keep_watch()
        if not task.actions or task.name.partition(":")[0] in catalogue.ANSWERS:
            return
        self.screen.started(task.name, self._called(task))

    def skip_uptodate(self, task: Task) -> None:
        """Say that what a task made is used again."""
        if not task.actions:
            return
        self.reused.append(task.name)
        if self.screen.terminal:
            self.screen.line(f"  {self._called(task):9} reused", "reused")
        else:
            self.screen.line(f"-- {task.name}")

    def add_success(self, task: Task) -> None:
        """Note that a task ran to its end."""
        self.screen.ended(task.name)
        if task.actions:
            self.ran.append(task.name)

    def add_failure(self, task: Task, fail: BaseFail) -> None:
        """Show a failure; nothing is said of tasks that did not run because of it."""
        self.screen.ended(task.name)
        if not isinstance(fail, UnmetDependency):
            awaits = isinstance(fail, stage_tasks.AwaitsSignatures)
            Reporter.awaits_signatures = awaits and (Reporter.awaits_signatures or not self.failures)
            super().add_failure(task, fail)

    def write(self, text: str) -> None:
        """Show a text of doit's own."""
        self.screen.line(text.rstrip("\n"), "failed")

    def _write_failure(self, result: dict[str, Any], write_exception: bool = True) -> None:  # noqa: FBT001, FBT002
        fail = result["exception"]
        text = shown_failure(result["task"].name, worded(fail.message), self.asked.stood_in)
        self.screen.line(text, "failed")
        if write_exception and fail.traceback:
            self.screen.line("".join(fail.traceback), "failed")

    def complete_run(self) -> None:
        """Sum the run up: what came of it, or how far it came."""
        if sys.exc_info()[0]:
            workers.end_all()
        self.screen.close()
        super().complete_run()
        if sys.exc_info()[0] or not self.built:  # doit calls this while an exception passes, too
            return
        failed = {result["task"].name: worded(result["exception"].message) for result in self.failures}
        run = summary.Run(
            ran=self.ran,
            reused=self.reused,
            failed=failed,
            seconds=time.monotonic() - self.begun,
            notes=[note.text for note in self.screen.notes()],
        )
        built = [] if failed or self.runtime_errors else [self._evidence(image) for image in self.built]
        for line in summary.lines(run, built, self.asked):
            self.screen.line(line)
        sys.stdout.write(summary.results(run, built, self.asked))
        sys.stdout.flush()

    def _called(self, task: Task) -> str:
        name = str(task.name)
        return name.partition(":")[0] if self.alone else name

    def _evidence(self, image: str) -> Stage[Any]:
        stage: Stage[Any] = self.tasks[f"evidence:{image}"].actions[0].args[0]
        return stage


def _closure(tasks: dict[str, Task], selected: list[str]) -> set[str]:
    """Return the names of the selected tasks and of all that they depend on."""
    todo, seen = list(selected), set[str]()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += tasks[name].task_dep
    return seen


def _stages(tasks: dict[str, Task], names: set[str]) -> list[list[Stage[Any]]]:
    """Return the stages of each image that these tasks may run, in a fixed order."""
    actions = [action for name in sorted(names) for action in tasks[name].actions]
    found: dict[str, list[Stage[Any]]] = {}
    for action in actions:
        if action.py_callable is stage_tasks.run_stage:
            found.setdefault(action.args[0].image, []).append(action.args[0])
    return [found[image] for image in sorted(found)]


def _expanded(tasks: dict[str, Task], selected: list[str]) -> list[str]:
    return [name for task in selected for name in (tasks[task].task_dep if task == "build" else [task])]
