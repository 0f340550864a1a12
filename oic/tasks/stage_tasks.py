"""Stages as doit tasks.

* A task runs when its settings object says so, when a hand-over it reads has another content, or when a file it
  writes, or one its hand-over names, is gone or not as it was written.
* What a stage's outputs were made from is written after them and removed before them: doit's own record is of the last
  run that it saw the end of, and a build killed in between may have left the outputs of another recipe. Until a run has
  changed a hand-over, the record of the run before is kept aside: when the mistake that made it fail is taken back,
  nothing was lost.
* Actions are a module function and one frozen stage: nothing to go wrong under ``-n``.
* A user's mistake is a `TaskFailed` of one line; a bug keeps its traceback.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doit.exceptions import TaskFailed

from oic.errors import OicError
from oic.files import write_json
from oic.process.host import FullDiskError, disk_error, is_host_failure
from oic.progress import begin, tell
from oic.runs import run_of
from oic.stages.sign import AwaitsSignaturesError
from oic.tasks import claim
from oic.tasks.artefacts import remember
from oic.tasks.cleaning import files_of_image, files_of_stage
from oic.tasks.outlook import is_as_it_was, why_stale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from doit.task import Task

    from oic.config.model import FinalConfig
    from oic.stage import Origin, Stage


class AwaitsSignatures(TaskFailed):  # type: ignore[misc]
    """A build that ended in order to have its programs signed elsewhere."""


class Settings:
    """Whether a stage is fresh, beside what doit itself compares; its text is what ``doit info`` prints."""

    def __init__(self, stage: Stage[Any]) -> None:
        self.stage = stage
        self.reason = "as recorded"

    def __repr__(self) -> str:
        return f"settings and artefacts of {self.stage.name} (version {self.stage.kind.version}): {self.reason}"

    def configure_task(self, task: Task) -> None:
        """Have it recorded that the task ran, which is what ``doit forget`` undoes."""
        task.value_savers.append(lambda: {"ran": True})

    def __call__(self, task: Task, values: dict[str, Any]) -> bool:  # noqa: ARG002 - doit's signature
        """Return whether nothing but doit's own record can make the stage run."""
        reasons = [change.text for change in why_stale(self.stage, remembered=bool(values))]
        self.reason = "; ".join(reasons) or "as recorded"
        return not reasons


def run_stage(stage: Stage[Any]) -> TaskFailed | None:
    """Run one stage; the action of every task of the graph."""
    begin(stage.task)
    failed = failure_of(stage.cache, _perform_unless_as_it_was, stage, log=stage.log)
    if failed is None:
        return None
    from oic.config.lines import with_lines  # noqa: PLC0415 - only where a stage fails

    return type(failed)(with_lines(failed.message, stage.recipe))


def failure_of(cache: Path, function: Callable[..., None], *args: Any, log: Path | None = None) -> TaskFailed | None:
    """Call a function; return what the user, or the cache's disk, did to make it fail, and let bugs pass."""
    try:
        function(*args)
    except FullDiskError as error:
        return TaskFailed(_with_log(error, log))
    except AwaitsSignaturesError as error:
        return AwaitsSignatures(str(error))
    except OicError as error:
        return TaskFailed(str(error))
    except PermissionError as error:
        file = Path(os.fsdecode(error.filename or "/"))
        if not file.is_relative_to(cache):
            raise
        return TaskFailed(str(disk_error(error, file)))
    except OSError as error:
        if not is_host_failure(error):
            raise
        return TaskFailed(_with_log(disk_error(error, cache), log))
    return None


def _with_log(error: OicError, log: Path | None) -> str:
    said = f"; log: {log}" if log and log.exists() and log.stat().st_size else ""
    return str(OicError(error.message, where=error.where, hint=f"{error.hint or ''}{said}".removeprefix("; ")))


def _perform_unless_as_it_was(stage: Stage[Any]) -> None:
    if stage.origin_file.exists() or not is_as_it_was(stage):
        perform(stage)
        return
    stage.earlier_origin_file.replace(stage.origin_file)
    tell(f"  {stage.name:9} as before the run that failed", "done")


def perform(stage: Stage[Any]) -> None:
    """Run one stage, say so in its one line, and note what its outputs were made from; raises OicError or OSError."""
    start = time.monotonic()
    claim.hold(stage.directory, stage.recipe)
    origin = stage.origin()
    _set_aside(stage, origin)
    stage.log.parent.mkdir(exist_ok=True)
    stage.log.unlink(missing_ok=True)
    said = run_of(stage.kind)(stage)
    write_json(stage.origin_file, origin)
    stage.earlier_origin_file.unlink(missing_ok=True)
    remember(stage)
    seconds = time.monotonic() - start
    tell(f"  {stage.name:9} {said} ({seconds:.1f} s)", "done")


def _set_aside(stage: Stage[Any], origin: Origin) -> None:
    """Remove the record of what the outputs were made from; keep it aside if they were made from something else."""
    try:
        last = stage.last_origin()
    except (FileNotFoundError, ValueError):
        return  # as the run before left it, which failed or was killed
    if last == origin:
        stage.earlier_origin_file.unlink(missing_ok=True)
    else:
        write_json(stage.earlier_origin_file, last)
    stage.origin_file.unlink()


def task_of(stage: Stage[Any]) -> dict[str, Any]:
    """Return doit's description of a stage."""
    return {
        "basename": stage.name,
        "name": stage.image,
        "doc": f"{stage.kind.doc} ({stage.image})",
        "actions": [(run_stage, [stage])],
        "file_dep": [str(path) for path in stage.inputs],
        "targets": [str(path) for path in stage.outputs],
        "uptodate": [Settings(stage)],
        "clean": [(files_of_stage, [stage])],
        "verbosity": 2,
    }


def build_of(config: FinalConfig, cache: Path, tasks: Sequence[str]) -> dict[str, Any]:
    """Return doit's description of the group of all that a recipe asks for."""
    return {
        "basename": "build",
        "name": config.image_name,
        "doc": f"everything {config.recipe.name} asks for",
        "actions": None,
        "task_dep": list(tasks),
        "uptodate": [True],  # else doit starts processes in order to do nothing
        "clean": [(files_of_image, [cache / config.image_name, config.recipe])],
    }


def refusal_of(config: FinalConfig, cache: Path, names: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield doit's description of a recipe that cannot be built: one task says why, and each that builds needs it."""
    refuse = f"refuse:{config.image_name}"
    yield {
        "basename": "refuse",
        "name": config.image_name,
        "doc": f"say why {config.recipe.name} cannot be built",
        "actions": [(refused, [refuse, config.unbuilt])],
        "verbosity": 2,
    }
    for name in names:
        yield {"basename": name, "name": config.image_name, "actions": None, "task_dep": [refuse]}
    yield build_of(config, cache, [refuse])


def refused(task: str, reasons: Sequence[str]) -> TaskFailed:
    """Fail with the reasons."""
    begin(task)
    return TaskFailed("cannot be built:\n" + "\n".join(reasons))


def groups(docs: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield a documented group task for each name."""
    for name, doc in docs.items():
        yield {"basename": name, "name": None, "doc": doc, "uptodate": [True]}
