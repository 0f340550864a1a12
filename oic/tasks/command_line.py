"""From the command line to doit's tasks: which recipes and which cache.

* ``image=`` is looked for where the user stands, then in ``recipes/``; two files it could mean are refused.
* ``cache=`` is another cache directory; ``var.name=value`` are the recipe's variables.
* A mistake of the user's at load time is doit's `InvalidCommand`: one line, status 3.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doit import doit_cmd
from doit.exceptions import InvalidCommand

from oic.config.final import is_default, load_config
from oic.errors import OicError
from oic.plan import DOCS, plan
from oic.tasks import claim, on_demand, stage_tasks, workers
from oic.tasks.reporter import Reporter
from oic.values import number_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.config.model import FinalConfig

PROJECT = Path(__file__).parents[2]
_MOST_SECONDS = 10**7
_KNOWN = ("image", "cache", "keys", "package", "timeout")


def variables() -> dict[str, str]:
    """Return the ``name=value`` words of the command line."""
    return dict(doit_cmd._CMDLINE_VARS or {})  # noqa: SLF001 - doit offers one by name, not all


def cache() -> Path:
    """Return the cache directory, an absolute path."""
    _end_in_order()
    _print_anything()
    directory = Path(doit_cmd.get_var("cache") or PROJECT / "cache").absolute()
    try:
        claim.enter(directory)
    except OSError as error:
        said = f"{directory}: cannot be made the cache: {error.strerror}"
        raise InvalidCommand(f"{said} (say cache=DIRECTORY for another one)") from None
    except OicError as error:
        raise InvalidCommand(str(error)) from None
    return directory


def _end_in_order() -> None:
    """Turn SIGTERM and Ctrl-C into an exit: every with statement ends in order, and nobody sees a traceback."""
    command = os.getpid()
    workers.end_with(command)

    def leave(number: int, _frame: object) -> None:
        if os.getpid() == command:  # not once more from each process of the build
            os.write(2, b"\nstopped: what is finished stays, the same command goes on from there\n")
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # ignored in the background: left so
        signal.signal(signal.SIGINT, leave)


def _print_anything() -> None:
    """Have what a terminal's encoding lacks printed as an escape: a message must not fail for its words."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def tasks(stood_in: str) -> Iterator[dict[str, Any]]:
    """Yield doit's description of every task."""
    given = variables()
    try:
        _check_words(given)
        configs = [_config(recipe, given) for recipe in _recipes(given.get("image"), Path(stood_in))]
        plans = [(config, () if config.unbuilt or config.absent else plan(config, cache())) for config in configs]
        for config in configs:
            claim.prepare(cache() / config.image_name)
    except OicError as error:
        raise InvalidCommand(str(error)) from None
    yield from stage_tasks.groups({**DOCS, "build": "everything the recipe asks for", **on_demand.DOCS})
    yield on_demand.verify_cache(cache())
    Reporter.notes = {config.image_name: config.notes for config in configs}
    for config, stages in plans:
        if stages:
            yield from map(stage_tasks.task_of, stages)
            yield stage_tasks.build_of(config, [stage.task for stage in stages])
        else:
            yield from stage_tasks.refusal_of(config, [*DOCS, *on_demand.BUILT])
        yield from on_demand.tasks(config, stages, cache(), given)


def _config(recipe: Path, given: dict[str, str]) -> FinalConfig:
    named = {word.removeprefix("var."): value for word, value in given.items() if word.startswith("var.")}
    return load_config(recipe, named, validated=cache() / "validated")


def _check_words(given: dict[str, str]) -> None:
    for word in given:
        if word not in _KNOWN and not word.startswith("var."):
            known = ", ".join(f"{name}=" for name in _KNOWN)
            raise OicError(f"expected {known} or var.NAME=, found {word}=")
    if given.get("keys", "new") != "new":
        raise OicError(
            f"expected keys=new, by which doit update takes a repository's new keys, found keys={given['keys']}"
        )
    seconds = number_in(given.get("timeout", "0"))
    if seconds is None or seconds > _MOST_SECONDS:
        raise OicError(f"expected timeout=SECONDS, found timeout={given['timeout']}")


def _recipes(image: str | None, stood_in: Path) -> list[Path]:
    shelf = PROJECT / "recipes"
    if image is None:
        return [path for path in sorted(shelf.glob("*.yml")) if is_default(path)]
    places = [stood_in / image] if "/" in image else [stood_in / image, shelf / image]
    names = [place.with_name(place.name + ending) for place in places for ending in ("", ".yml", ".yaml")]
    found = {path.resolve(): path for path in names if os.path.isfile(path)}
    if not found:
        said = "".join(f", {path.stem}" for path in sorted(shelf.glob("*.yml"))).lstrip(", ")
        raise OicError(f"expected a recipe, found no file {image} here or in recipes/ (there: {said})")
    if len(found) > 1:
        both = " and ".join(map(str, found))
        raise OicError(f"{image} could be two recipes, {both}", hint="say image=./NAME or a whole path")
    return list(found.values())
