"""What a build would do: which stages run, which may run, and why, by following the graph.

A stage runs for reasons of its own; a stage that reads what such a stage writes may run: it does so only if that comes
to another result. Nothing is built, fetched or locked to find out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oic.plan import KINDS
from oic.tasks.artefacts import lost_artefact
from oic.tasks.changes import Change, changes
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from oic.stage import Stage
    from oic.values import Digest

_WRITERS = {handover.FILE: kind.name for kind in KINDS for handover in kind.writes}
"""The stage that writes a hand-over, by its file name."""
RUNS, MAY_RUN, FRESH = "runs", "may run", "up to date"


class Outlook(Value):
    """What becomes of a stage, and why: changes of its own, or the stages `after` which it may run."""

    stage: Stage[Any]
    state: str
    why: tuple[Change, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why, in words without places."""
        if self.after:
            *first, last = self.after
            names = f"{', '.join(first)} or {last}" if first else last
            return (f"if {names} {'come' if first else 'comes'} to another result",)
        return tuple(change.text for change in self.why)


def outlooks(stages: Sequence[Stage[Any]], run: Collection[str]) -> list[Outlook]:
    """Return what a build does with each stage; `run` are the tasks that doit remembers to have run."""
    found: list[Outlook] = []
    for stage in stages:
        if why := why_stale(stage, remembered=stage.task in run):
            found.append(Outlook(stage=stage, state=RUNS, why=why))
            continue
        moving = {path: one for one in found if one.state != FRESH for path in one.stage.outputs}
        after = dict.fromkeys(moving[path].stage.name for path in stage.inputs if path in moving)
        found.append(Outlook(stage=stage, state=MAY_RUN if after else FRESH, after=tuple(after)))
    return found


def why_stale(stage: Stage[Any], *, remembered: bool = True) -> tuple[Change, ...]:
    """Return why the stage's outputs are not what a run would write now; nothing when they are.

    `remembered` tells whether doit knows that the task ran.
    """
    if not stage.origin_file.exists():
        if is_as_it_was(stage):
            return ()
        return (Change(text="it has not run to its end" if remembered else "it has not run yet"),)
    if not remembered:
        return (Change(text="it was forgotten"),)
    try:
        old, new = stage.last_origin(), stage.origin()
        found: tuple[Change, ...] = (Change(text="the stage itself has another version"),)
        if of_lock := _changed_lock(stage, old.inputs, new.inputs):
            found = of_lock
        elif old.version == new.version:
            found = (*changes(stage.kind.name, old.slice, new.slice), *_changed_inputs(stage, old.inputs, new.inputs))
        lost = "" if found else lost_artefact(stage)
    except ValueError:  # nothing is synced to disk: a power cut may leave half a file
        found, lost = (), "what it wrote is damaged"
    return (Change(text=lost),) if lost else found


def is_as_it_was(stage: Stage[Any]) -> bool:
    """Tell whether a run that failed has left what an earlier one wrote, and a run would write that now."""
    earlier = stage.earlier_origin()
    try:
        return earlier is not None and earlier == stage.origin() and not lost_artefact(stage)
    except ValueError:  # damaged
        return False


def _changed_inputs(
    stage: Stage[Any], old: Mapping[str, Digest | None], new: Mapping[str, Digest | None]
) -> Iterator[Change]:
    """Yield the hand-overs of another content; one that is gone is its own stage's to make again."""
    for name in sorted({*old, *new}):
        digest = new.get(name)
        if old.get(name) != digest and (digest or name not in new):
            said = f"what {_WRITERS.get(name, name)} wrote"
            if stage.lock_file and name == "lock":
                said = stage.lock_file.name
            yield Change(text=f"{said} changed")


def _changed_lock(
    stage: Stage[Any], old: Mapping[str, Digest | None], new: Mapping[str, Digest | None]
) -> tuple[Change, ...]:
    """Return the change that makes all others idle: a lock is there now, or is not there any more."""
    if stage.lock_file and "lock" not in old:
        return (Change(text=f"{stage.lock_file.name} is now what is built"),)
    if "lock" in old and "lock" not in new:
        return (Change(text="the recipe has no lock any more, packages are chosen anew"),)
    return ()
