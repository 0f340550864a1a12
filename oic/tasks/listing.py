"""``list`` and ``info``: the tasks there are, and what a build would do with each, by following the graph."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from doit.cmd_info import Info as DoitInfo
from doit.cmd_list import List as DoitList
from doit.exceptions import InvalidCommand

from oic.tasks import stage_tasks
from oic.tasks.outlook import FRESH, MAY_RUN, RUNS, Outlook, outlooks
from oic.tasks.reporter import Reporter
from oic.values import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doit.task import Task

    from oic.stage import Stage

ASKED_FOR = "asked for"
"""The state of a task that runs whenever it is asked for, and of a stage that no recipe here has."""
_PADDED = re.compile(r"\{name:<\d+\}")
LETTERS = {RUNS: "R", MAY_RUN: "M", FRESH: "U", ASKED_FOR: "-"}


def stage_of(task: Task) -> Stage[Any] | None:
    """Return the stage that a task runs, if it runs one."""
    stages = [action.args[0] for action in task.actions if action.py_callable is stage_tasks.run_stage]
    return stages[0] if stages else None


class Graph:
    """The tasks of a command, and the outlook on every stage, which is found out once it is asked for."""

    def __init__(self, tasks: Mapping[str, Task], memory: Any) -> None:
        self._tasks = tasks
        self._memory = memory
        self._known: dict[str, Outlook] = {}

    def outlook(self, task: Task) -> Outlook | None:
        """Return what becomes of a task that is a stage."""
        if not self._known:
            stages = [stage for one in self._tasks.values() if (stage := stage_of(one))]
            run = {stage.task for stage in stages if self._memory.get_values(stage.task)}
            self._known = {one.stage.task: one for one in outlooks(stages, run)}
        return self._known.get(task.name)

    def state(self, task: Task) -> str:
        """Return whether a task would run; a group does as soon as one of its tasks does."""
        if outlook := self.outlook(task):
            return outlook.state
        below = {self.state(self._tasks[name]) for name in task.task_dep} if not task.actions else set()
        return next((state for state in (RUNS, MAY_RUN, FRESH) if state in below), ASKED_FOR)


class List(DoitList):  # type: ignore[misc]
    """``list``, with ``--status`` by the graph, and ``format=json``."""

    def _execute(  # noqa: PLR0913 - doit's signature
        self,
        subtasks: bool = False,  # noqa: FBT001, FBT002 - as above
        quiet: bool = True,  # noqa: FBT001, FBT002
        status: bool = False,  # noqa: FBT001, FBT002
        private: bool = False,  # noqa: FBT001, FBT002
        list_deps: bool = False,  # noqa: FBT001, FBT002
        template: str | None = None,
        sort: str = "name",
        pos_args: Any = None,
    ) -> int:
        self.graph = Graph({task.name: task for task in self.task_list}, self.dep_manager)
        if not Reporter.asked.json:
            options = (subtasks, quiet, status, private, list_deps, template, sort)
            return int(super()._execute(*options, pos_args=pos_args))
        tasks = {task.name: task for task in self.task_list}
        found = self._list_filtered(tasks, pos_args, subtasks) if pos_args else self._list_all(subtasks)
        self.outstream.write(to_json([self._entry(task, status=status) for task in sorted(found)]))
        return 0

    def _list_all(self, include_subtasks: bool) -> list[Task]:  # noqa: FBT001 - as above
        """Return the tasks, and no group beside the tasks of which it is one."""
        found: list[Task] = super()._list_all(include_subtasks)
        groups = {task.subtask_of for task in found}
        return [task for task in found if task.name not in groups]

    def _entry(self, task: Task, *, status: bool) -> dict[str, Any]:
        entry: dict[str, Any] = {"name": task.name, "doc": task.doc}
        if status:
            outlook = self.graph.outlook(task)
            entry |= {"state": self.graph.state(task), "why": outlook.reasons if outlook else []}
        return entry

    def _print_task(self, template: str, task: Task, status: bool, list_deps: bool, tasks: Any) -> None:  # noqa: FBT001 - as above
        letter = f"{LETTERS[self.graph.state(task)]} " if status else ""
        if "{doc}" not in template:
            template = _PADDED.sub("{name}", template)
        super()._print_task(template.replace("{status} ", letter), task, False, list_deps, tasks)


class Info(DoitInfo):  # type: ignore[misc]
    """``info``: what a task does, whether a build would run it and why, what it reads and writes, where its log is."""

    def _execute(self, pos_args: list[str], hide_status: bool = False) -> int:  # noqa: ARG002, FBT001, FBT002 - as above
        tasks = {task.name: task for task in self.task_list}
        if len(pos_args) != 1 or pos_args[0] not in tasks:
            raise InvalidCommand("expected one task: info solve:edge image=edge.yml")
        task = tasks[pos_args[0]]
        graph = Graph(tasks, self.dep_manager)
        outlook, stage, state = graph.outlook(task), stage_of(task), graph.state(task)
        reasons = "; ".join(outlook.reasons) if outlook else ""
        lines = [task.name, f"  {task.doc}", f"  {state}{f': {reasons}' if reasons else ''}"]
        lines += [f"  reads   {path}" for path in sorted(task.file_dep)]
        lines += [f"  writes  {path}" for path in task.targets]
        lines += [f"  needs   {name}" for name in task.task_dep]
        lines += [f"  log     {stage.log}"] if stage and stage.log.exists() else []
        self.outstream.write("\n".join([*lines, ""]))
        return int(state == RUNS)
