"""Tasks a user asks for by name, never part of a build: those of an image, and those that need none."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from msgspec import structs

from oic.errors import OicError
from oic.files import write_text
from oic.handover.packages import LockFile
from oic.plan import plan
from oic.progress import begin, worded
from oic.tasks import answers, claim, signing
from oic.tasks.answers import lock_of, say
from oic.tasks.catalogue import ANSWERS, BUILT, DOCS, OF_NO_IMAGE
from oic.tasks.outlook import why_stale
from oic.tasks.stage_tasks import failure_of, perform

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from doit.exceptions import TaskFailed
    from doit.task import Task

    from oic.config.model import FinalConfig
    from oic.stage import Stage

CHECK = "check"
"""Under this name a task's `meta` has a function, with its arguments, that refuses a wrong command line."""


def tasks(
    config: FinalConfig, stages: Sequence[Stage[Any]], cache: Path, given: Mapping[str, str], stood_in: Path
) -> Iterator[dict[str, Any]]:
    """Yield doit's description of each task for one image; without stages, of those for any recipe."""
    package = given.get("package", "")
    # Without a package there is something to complain about, and nothing to solve.
    needs = {
        "validate": [f"solve:{config.image_name}"] if given.get("solve") == "yes" else [],
        "why": [f"solve:{config.image_name}"] if package else [],
        "reproduce": [f"verify:{config.image_name}"],
        "boot-test": [f"build:{config.image_name}"],
    }
    calls: dict[str, tuple[Callable[..., None], list[Any]]] = {
        "validate": (answers.validate, [config, stages, given, stood_in]),
        "config": (answers.print_config, [config, given]),
        "explain": (answers.explain, [config, stages, given, stood_in]),
        "update": (_update, [config, stages, given.get("keys") == "new"]),
        "lock": (_lock, [config, stages]),
        "why": (answers.why, [stages, given]),
        "log": (answers.log, [config, stages, given]),
        "reproduce": (_reproduce, [stages]),
        "sign-import": (signing.take, [config, stages, given, stood_in]),
        "boot-test": (_boot_test, [config, stages, given.get("timeout", "900")]),
    }
    checks = {
        "why": (answers.check_why, given),
        "log": (answers.check_log, stages, given),
        "sign-import": (signing.check, stages, given),
        "reproduce": (signing.check_signed_here, stages),
    }
    for name, (function, args) in calls.items():
        if name in BUILT and not stages:
            continue
        yield {
            "basename": name,
            "name": config.image_name,
            "doc": f"{DOCS[name]} ({config.image_name})",
            "actions": [(_run, [f"{name}:{config.image_name}", function, args, cache])],
            "task_dep": needs.get(name, []),
            "uptodate": [False],
            "meta": {CHECK: checks.get(name)},
            "clean": [(_files_of_builds, [stages])] if name == "reproduce" else [],
            "verbosity": 2,
        }


def of_no_image(cache: Path, folders: tuple[Path, ...], given: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield doit's description of each task that needs no recipe; `folders` are those whose recipes have names.

    The first of them is where the user stands.
    """
    calls: dict[str, tuple[Callable[..., None], list[Any]]] = {
        "recipes": (_list_recipes, [folders, given]),
        "new": (_write_recipe, [folders[0], given]),
        "verify-cache": (_verify_cache, [cache]),
        "prune": (_prune, [cache, given.get("dry_run") == "yes"]),
    }
    for name, (function, args) in calls.items():
        yield {
            "basename": name,
            "doc": OF_NO_IMAGE[name],
            "actions": [(_run, [name, function, args, cache])],
            "uptodate": [False],
            "meta": {CHECK: (_check_new, given) if name == "new" else None},
            "verbosity": 2,
        }


def check(task: Task) -> None:
    """Raise OicError when the command line does not say what the task needs to be told."""
    function, *args = (task.meta or {}).get(CHECK) or (None,)
    if function:
        function(*args)


def check_together(names: Collection[str]) -> None:
    """Raise OicError for tasks that would wait for each other's end."""
    if "prune" in names and len(names) > 1:
        others = ", ".join(sorted({*names} - {"prune"}))
        raise OicError(f"expected prune alone on the command line, found it beside {others}")


def _check_new(given: Mapping[str, str]) -> None:
    from oic.tasks.finding import check_new  # noqa: PLC0415 - as below

    check_new(given)


def _list_recipes(folders: tuple[Path, ...], given: Mapping[str, str]) -> None:
    from oic.tasks.finding import list_recipes  # noqa: PLC0415 - only where it is needed

    list_recipes(folders, given)


def _write_recipe(folder: Path, given: Mapping[str, str]) -> None:
    from oic.tasks.finding import write_recipe  # noqa: PLC0415 - as above

    write_recipe(folder, given)


def _verify_cache(cache: Path) -> None:
    from oic.tasks.verify_cache import verify  # noqa: PLC0415 - only where it is needed

    say(verify(cache))


def _prune(cache: Path, dry_run: bool) -> None:  # noqa: FBT001 - a task's argument
    from oic.tasks.prune import prune  # noqa: PLC0415 - as above

    for line in prune(cache, dry_run=dry_run):
        say(line)


def _run(task: str, function: Callable[..., None], args: list[Any], cache: Path) -> TaskFailed | None:
    if task.partition(":")[0] not in ANSWERS:
        begin(task)
    return failure_of(cache, function, *args)


def _unlocked(
    config: FinalConfig, stages: Sequence[Stage[Any]]
) -> tuple[tuple[Stage[Any], ...], Stage[Any], Stage[Any]]:
    """Return the stages as they are when no lock is kept: those before metadata, metadata and solve."""
    free = plan(structs.replace(config, lock=None), stages[0].cache)
    place = next(number for number, stage in enumerate(free) if stage.name == "metadata")
    return free[:place], structs.replace(free[place], memory=config.lock), free[place + 1]


def _update(config: FinalConfig, stages: Sequence[Stage[Any]], new_keys: bool) -> None:  # noqa: FBT001 - a task's argument
    from oic.ospackage.changes import differences  # noqa: PLC0415 - as the solver's modules, only where it is needed
    from oic.ospackage.changes import new_keys as keys_that_changed  # noqa: PLC0415
    from oic.runs import metadata, solve  # noqa: PLC0415

    found, fetch, choose = _unlocked(config, stages)
    before_it = [structs.replace(stage, refetch=True) for stage in found]
    fetch = structs.replace(fetch, new_keys=new_keys)
    known = metadata.known_in(fetch.directory, config.lock)
    claim.hold(fetch.directory, config.recipe)
    lock_path = fetch.path("lock.json")
    before = config.lock or (lock_path if lock_path.exists() else None)
    old = solve.read_kept(before, config.distribution.provider) if before else None
    with _as_before_on_failure(*before_it, fetch, choose):
        for stage in (*before_it, fetch):
            perform(stage)
        if not config.lock:
            perform(choose)
        new = solve.solved(choose) if config.lock else lock_of(choose)
    for line in [
        *(keys_that_changed(known, metadata.known_in(fetch.directory)) if new_keys else ()),
        *differences(old, new),
    ]:
        say(line)
    if config.lock:
        how = f"doit lock image={config.recipe.name} takes the new packages"
        say(worded(f"{config.lock.name} is still what is built: {how}"))


@contextlib.contextmanager
def _as_before_on_failure(*stages: Stage[Any]) -> Iterator[None]:
    """Put the hand-overs back when an update fails: what was solved stays solved, and a build goes on from it."""
    files = [file for stage in stages for file in (*stage.outputs, stage.origin_file)]
    before = {file: file.read_text(encoding="utf-8") for file in files if file.exists()}
    try:
        yield
    except BaseException:  # an interrupt as well
        for file, text in before.items():
            write_text(file, text)
        raise


def _lock(config: FinalConfig, stages: Sequence[Stage[Any]]) -> None:
    from oic.runs import solve  # noqa: PLC0415 - as in _update

    found, fetch, choose = _unlocked(config, stages)
    claim.hold(fetch.directory, config.recipe)
    for stage in (*found, fetch):
        if why_stale(stage):
            perform(stage)
    lock = solve.solved(choose)
    path = config.lock or config.recipe.with_name(f"{config.image_name}.lock.json")
    write_text(path, LockFile(lock=lock).to_text())
    say(f"{path}: {sum(map(len, lock.sets.values()))} packages, built exactly so from now on")


def _reproduce(stages: Sequence[Stage[Any]]) -> None:
    from oic.reproduce.twice import reproduce  # noqa: PLC0415 - only where it is needed

    reproduce(stages, say)


def _boot_test(config: FinalConfig, stages: Sequence[Stage[Any]], timeout: str) -> None:
    from oic.tasks.booting import boot_built  # noqa: PLC0415 - only where it is needed

    boot_built(config, stages[-1], float(timeout))


def _files_of_builds(stages: Sequence[Stage[Any]]) -> list[Path]:
    claim.take(stages[0].directory, stages[0].recipe)
    return [stages[0].path("reproduce")]
