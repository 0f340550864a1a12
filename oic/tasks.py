"""Stages as doit tasks.

* A task runs when its settings object says so, when a hand-over it reads has another content, or when a file it
  writes, or one its hand-over names, is gone.
* Actions are a module function and one frozen stage: nothing to go wrong under ``-n``.
* A user's mistake is a `TaskFailed` of one line; a bug keeps its traceback.
"""

from __future__ import annotations

import errno
import importlib
import json
import shutil
import time
from typing import TYPE_CHECKING, Any

from doit.exceptions import TaskFailed

from oic import claim
from oic.errors import OicError
from oic.files import write_text
from oic.plan import DOCS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from doit.task import Task

    from oic.stage import Stage


_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class Settings:
    """Whether a stage is fresh, beside what doit itself compares; its text is what ``doit info`` prints."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.reason = "as recorded"

    def __repr__(self) -> str:
        return f"settings and artefacts of {self.stage.name} (version {self.stage.version}): {self.reason}"

    def configure_task(self, task: Task) -> None:
        """Have the settings recorded when the task succeeds."""
        task.value_savers.append(self._record)

    def _record(self) -> dict[str, Any]:
        return {"settings": self.stage.settings(), "slice": self.stage.slice_text}

    def __call__(self, task: Task, values: dict[str, Any]) -> bool:  # noqa: ARG002 - doit's signature
        """Return whether nothing but hand-overs can make the stage run."""
        self.reason = self._why(values)
        return not self.reason

    def _why(self, values: dict[str, Any]) -> str:
        if self.stage.refusals:
            return "the recipe asks for what cannot be built yet"
        if "settings" not in values:
            return "it has not run yet"
        if values["settings"] != self.stage.settings():
            return _changes(json.loads(values.get("slice", "{}")), self.stage.slice)
        missing = missing_artefacts(self.stage)
        return f"{missing[0]} is gone" if missing else ""


def _changes(old: Any, new: Any, path: str = "") -> str:
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        if keys:
            return "; ".join(_changes(old.get(key), new.get(key), f"{path}.{key}".lstrip(".")) for key in keys)
    if path:
        return f"{path} has changed" if isinstance(old, list | dict) else f"{path} was {old!r}, is {new!r}"
    return "the stage itself has another version"


def missing_artefacts(stage: Stage) -> list[str]:
    """Return what the stage's hand-overs name and the cache does not have."""
    missing = []
    for name in stage.outputs:
        path = stage.path(name)
        if not path.exists():
            missing.append(str(path))
        elif path.suffix == ".json":
            named = json.loads(path.read_text(encoding="utf-8")).get("artefacts", [])
            missing += [str(stage.cache / artefact) for artefact in named if not (stage.cache / artefact).exists()]
    return missing


def run_stage(stage: Stage) -> TaskFailed | None:
    """Run one stage; the action of every task of the graph."""
    if stage.refusals:
        return TaskFailed("not built yet:\n" + "\n".join(stage.refusals))
    module = importlib.import_module(f"oic.stages.{stage.name}")
    start = time.monotonic()
    try:
        claim.hold(stage.directory, stage.recipe)
        stage.log.parent.mkdir(exist_ok=True)
        stage.log.unlink(missing_ok=True)
        said = module.run(stage)
        write_text(stage.path(f"slice/{stage.name}.json"), stage.slice_text)
    except OicError as error:
        return TaskFailed(str(error))
    except OSError as error:
        if error.errno not in _DISK:
            raise
        free = shutil.disk_usage(stage.cache).free >> 20
        said = f"the cache's disk: {error.strerror}, {free} MiB free"
        return TaskFailed(f"{stage.cache}: {said} (make room and build again: what is finished stays)")
    seconds = time.monotonic() - start
    print(f"  {stage.name:9} {said} ({seconds:.1f} s)", flush=True)  # noqa: T201 - the stage's one line
    return None


def clean_stage(stage: Stage) -> None:
    """Remove what a stage wrote into the image's directory; layers and blobs are shared and stay."""
    for name in stage.outputs:
        path = stage.path(name)
        if path.suffix == ".json" and path.exists():
            named = json.loads(path.read_text(encoding="utf-8")).get("artefacts", [])
            own = [stage.cache / entry for entry in named if entry.startswith(f"{stage.image}/")]
            for entry in own:
                _remove(entry)
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def task_of(stage: Stage) -> dict[str, Any]:
    """Return doit's description of a stage."""
    handovers = [str(stage.path(name)) for name in stage.inputs]
    return {
        "basename": stage.name,
        "name": stage.image,
        "doc": f"{DOCS[stage.name]} ({stage.image})",
        "actions": [(run_stage, [stage])],
        "file_dep": [*handovers, *([str(stage.lock_file)] if stage.lock_file else [])],
        "targets": [str(stage.path(name)) for name in stage.outputs],
        "uptodate": [Settings(stage)],
        "clean": [(clean_stage, [stage])],
        "verbosity": 2,
    }


def groups(docs: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield a documented group task for each name."""
    for name, doc in docs.items():
        yield {"basename": name, "name": None, "doc": doc}
