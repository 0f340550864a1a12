"""From a request to doit's tasks. A `Request` is what the user asked for, by doit's command line or by `oic`'s.

A mistake of the user's at load time is doit's `InvalidCommand`: one line, status 3.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import doit
from doit.exceptions import InvalidCommand

from oic.config.final import load_config
from oic.errors import OicError, RecipeError
from oic.plan import DOCS, plan
from oic.tasks import catalogue, claim, on_demand, places, recipes, settings, stage_tasks, words
from oic.tasks.interrupts import end_in_order
from oic.tasks.output import print_anything
from oic.tasks.reporter import Reporter
from oic.tasks.summary import Asked
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from oic.config.model import FinalConfig

PROJECT = Path(__file__).parents[2]
TASKS = {"build": "everything the recipe asks for", **DOCS, **catalogue.DOCS, **catalogue.OF_NO_IMAGE}
"""Every task that a user can ask for, and what it does."""


class Request(Value):
    """The recipes named, the ``name=value`` words, where the user stands, and the clone whose recipes have names."""

    recipes: tuple[str, ...]
    given: Mapping[str, str]
    stood_in: Path
    clone: Path | None
    cache: Path
    program: str = "oic"


def of_doit() -> Request:
    """Return the request of ``doit build image=…``, whose words doit leaves on the command line."""
    end_in_order()
    print_anything()
    stood_in = Path(doit.get_initial_workdir())
    try:
        given = settings.with_variables(words.words_of(sys.argv[1:]), stood_in)
        words.check_words(given)
        settings.apply(given)
        settings.workers()
        cache = places.cache_directory(given.get("cache"), stood_in, PROJECT)
    except OicError as error:
        raise InvalidCommand(str(error)) from None
    named = (given["image"],) if "image" in given else ()
    return Request(recipes=named, given=given, stood_in=stood_in, clone=PROJECT, cache=cache, program="doit")


def configuration(cache: Path) -> dict[str, Any]:
    """Return doit's configuration."""
    return {
        "backend": "oic",
        "dep_file": str(cache / "doit.db"),
        "cleanforget": True,
        "default_tasks": ["build"],
        "minversion": "0.37.0",
        "reporter": Reporter,
        "verbosity": 2,
        "num_process": number if (number := settings.workers()) > 1 else 0,
    }


def tasks(request: Request) -> Iterator[dict[str, Any]]:
    """Yield doit's description of every task; raises InvalidCommand."""
    given, cache = request.given, request.cache
    try:
        found = recipes.find_recipes(request.recipes, request.stood_in, shelf_of(request.clone), cache / "validated")
        variables = words.variables_in(given)
        configs = _load_all(found, variables, cache / "validated")
        if configs:
            words.check_variables(variables, {name for config in configs for name in config.variables})
        plans = [(config, () if config.unbuilt else plan(config, cache)) for config in configs]
        for config in configs:
            claim.prepare(cache / config.image_name)
    except OicError as error:
        raise InvalidCommand(str(error)) from error
    yield from stage_tasks.groups({name: doc for name, doc in TASKS.items() if name not in catalogue.OF_NO_IMAGE})
    folders = dict.fromkeys(path for path in (request.stood_in, shelf_of(request.clone)) if path)
    yield from on_demand.of_no_image(cache, tuple(folders), given)
    notes = {config.image_name: config.notes for config in configs}
    Reporter.asked = Asked(
        program=request.program, stood_in=request.stood_in, notes=notes, json=given.get("format") == "json"
    )
    for config, stages in plans:
        if stages:
            yield from map(stage_tasks.task_of, stages)
            yield stage_tasks.build_of(config, cache, [stage.task for stage in stages])
        else:
            yield from stage_tasks.refusal_of(config, cache, [*DOCS, *catalogue.BUILT])
        yield from on_demand.tasks(config, stages, cache, given, request.stood_in)


def _load_all(found: Sequence[Path], variables: Mapping[str, str], validated: Path) -> list[FinalConfig]:
    """Return the final config of each recipe; raises RecipeError with the problems of all of them."""
    configs, problems = [], []
    for recipe in found:
        try:
            configs.append(load_config(recipe, variables, validated=validated))
        except RecipeError as error:
            problems.append(str(error))
    if problems:
        raise RecipeError("\n".join(problems))
    return configs


def shelf_of(clone: Path | None) -> Path | None:
    """Return the directory whose recipes are found by name."""
    return clone / "recipes" if clone else None
