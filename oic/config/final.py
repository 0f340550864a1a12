"""A recipe → the final config.

    recipe ─┬ parse ─ ${name} ─ schema ─ checks ─┐
    include ┘                                    ├ merge ─ checks of the whole ─> FinalConfig
    distribution's facts and defaults ───────────┘

* Nothing but files is read: the recipe, its parts, the distribution's data, the files the recipe names (their
  digests), the host's apt sources. No network.
* All problems of a recipe are one `RecipeError`, a line each: ``file:line: key.path: expected …, found …``.
* With `validated`, a directory, a recipe once found valid leaves a marker there, named by the digest of all that was
  validated, and is not validated again: jsonschema's import would be felt on every command.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oic.config.assemble import file_notes, files_of, image_of, outside_notes, system_of, target_of
from oic.config.checks import family_notes, notes_in, problems_in, problems_of_whole, unsigned_problems
from oic.config.disk import artifacts_of, disk_of
from oic.config.distribution import (
    DistributionData,
    distribution_of,
    known_distributions,
    left_out,
    read_distribution,
)
from oic.config.facts import problems_in_choice, problems_in_defaults, problems_in_facts
from oic.config.merge import merged
from oic.config.model import FinalConfig
from oic.config.parts import read_parts
from oic.config.schema import did_you_mean, problems_of, schema_bytes
from oic.config.source import Node, parse, read_bytes
from oic.config.unbuilt import unbuilt_in
from oic.config.variables import Variables
from oic.errors import RecipeError
from oic.values import ImageName, to_plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oic.config.model import Distribution
    from oic.config.parts import Part

    Problems = list[tuple[Node, str]]

_IMAGE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_OF_THE_CACHE = ("damaged", "layers", "store", "validated")
_SECRETS = frozenset({"password"})


def load_config(
    recipe: Path, variables: Mapping[str, str], *, validated: Path | None = None, root: Path = Path("/")
) -> FinalConfig:
    """Return the final config of a recipe file; raises RecipeError with every problem of it.

    `variables` are the command line's ``var.name=value``; `root` is where the host's apt sources are looked for.
    """
    image_name = _image_name(recipe)
    problems: Problems = []
    lookup = Variables(variables, os.environ)
    parts = read_parts(recipe, lookup, problems)
    problems += lookup.problems
    tree = functools.reduce(merged, (part.tree for part in parts))
    data = _distribution_data(tree, problems)
    _validate(parts, data, lookup.used, validated, problems)
    for part in parts:
        problems += problems_in(part.tree)
    problems += _data_problems(data, tree)
    whole = merged(data.defaults, tree) if data.defaults else tree
    problems += problems_of_whole(whole)
    distribution = _distribution(data, tree, problems, root)
    files = files_of(whole, problems)
    lock = _lock(recipe, parts[-1].tree.get("lock"), problems)
    if problems:
        raise RecipeError(_lines(_once(lookup.problems, problems)))
    absent = tuple(node.said(text) for node, text in file_notes(whole, files))
    notes = [node.said(text) for node, text in outside_notes(whole, files)]
    notes += [node.said(text) for part in parts for node, text in notes_in(part.tree)]
    notes += [node.said(text) for node, text in family_notes(whole, distribution.provider)]
    return FinalConfig(
        image_name=image_name,
        recipe=recipe.absolute(),
        lock=lock,
        image=image_of(whole),
        target=target_of(whole),
        distribution=distribution,
        repositories=distribution.tools_repositories,
        disk=disk_of(whole.get("disk")),
        artifacts=artifacts_of(whole.get("disk")),
        system=system_of(whole, files, distribution.provider),
        notes=(*absent, *notes, *left_out(data, tree)),
        unbuilt=tuple(node.said(text) for node, text in unbuilt_in(whole, data)),
        absent=absent,
    )


def is_default(recipe: Path) -> bool:
    """Return whether a bare ``doit build`` builds this recipe; raises RecipeError when that cannot be told."""
    data = read_bytes(recipe)
    return b"default" in data and parse(data, recipe).get("default").true


def redacted(config: FinalConfig) -> dict[str, Any]:
    """Return the config as JSON knows it, without secrets."""
    hidden: dict[str, Any] = _hidden(to_plain(config))
    return hidden


def _hidden(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: "<redacted>" if key in _SECRETS and item else _hidden(item) for key, item in value.items()}
    return [_hidden(item) for item in value] if isinstance(value, list) else value


def _image_name(recipe: Path) -> ImageName:
    if not _IMAGE_NAME.fullmatch(recipe.stem):
        raise RecipeError(
            "expected a file name of letters, digits, '.', '_' and '-', as tasks are named after it, "
            f"found '{recipe.name}'",
            where=str(recipe),
        )
    if recipe.stem in _OF_THE_CACHE:
        message = (
            f"expected another file name, found '{recipe.name}': the cache has a directory '{recipe.stem}' already"
        )
        raise RecipeError(message, where=str(recipe))
    return ImageName(recipe.stem)


def _distribution_data(tree: Node, problems: Problems) -> DistributionData:
    """Read the data of the target's distribution; without a sane target there is none."""
    target = tree.get("target")
    for key in ("image", "target"):
        if tree.get(key).value is None:
            wanted = "name and version" if key == "image" else "os, dist, arch and imageType"
            problems.append((tree.get(key), f"expected a mapping of {wanted}, found nothing"))
    os_, dist = target.get("os"), target.get("dist")
    name, known = f"{os_.text}/{dist.text}", known_distributions()
    if name in known:
        return read_distribution(target_of(tree))
    if os_.text and dist.text:
        systems = {one.partition("/")[0] for one in known}
        if os_.text in systems:
            words = [one.partition("/")[2] for one in known if one.startswith(f"{os_.text}/")]
            problems.append((dist, _unknown("a distribution", dist.text, words)))
        else:
            problems.append((os_, _unknown("an operating system", os_.text, sorted(systems))))
    return DistributionData(id=name, facts=None, defaults=None, content=())


def _data_problems(data: DistributionData, tree: Node) -> Problems:
    if data.facts is None:
        return []
    found, target = list(problems_in_facts(data.facts)), target_of(tree)
    found += unsigned_problems(tree, data.facts.get("provider").text)
    found += problems_in_choice(tree.get("target"), data.facts)
    if data.defaults:
        found += problems_in_defaults(data.defaults, data.facts, target.arch)
    elif target.arch in data.facts.get("architectures").entries and target.image_type == "raw":
        named = f"{target.image_type}-{target.arch}.yml"
        if tree.get("disk").value is None:
            found.append((tree.get("target"), f"expected a disk, as {data.id} has no {named}, found none"))
    return found


def _unknown(thing: str, found: str, words: Sequence[str]) -> str:
    return f"expected {thing} out of {', '.join(words)}, found '{found}'{did_you_mean(found, words)}"


def _validate(
    parts: Sequence[Part], data: DistributionData, used: Mapping[str, str], validated: Path | None, problems: Problems
) -> None:
    """Hold recipe, parts and data files against their schemas, unless a marker says that this was done."""
    marker = validated / _digest(parts, data, used) if validated else None
    if marker and marker.exists():
        return
    found: Problems = []
    for part in parts:
        found += problems_of(part.tree, "recipe", needs=False)
    if data.facts:
        found += problems_of(data.facts, "distribution")
    if data.defaults:
        found += problems_of(data.defaults, "recipe", needs=False)
    problems += found
    if marker and not found:
        with contextlib.suppress(OSError):  # a cache that cannot be written costs time, nothing else
            marker.parent.mkdir(parents=True, exist_ok=True)
            marker.touch()


def _digest(parts: Sequence[Part], data: DistributionData, used: Mapping[str, str]) -> str:
    whole = hashlib.sha256()
    words = [word.encode() for pair in sorted(used.items()) for word in pair]
    schemas = [schema_bytes("recipe"), schema_bytes("distribution")]
    for piece in (*schemas, *data.content, *(part.data for part in parts), *words):
        whole.update(b"%d:" % len(piece) + piece)
    return whole.hexdigest()


def _distribution(data: DistributionData, tree: Node, problems: Problems, root: Path) -> Distribution:
    target = tree.get("target")
    try:
        return distribution_of(data, target, target_of(tree), root=root)
    except RecipeError as error:
        problems.append((target, str(error)))
        nothing = DistributionData(id=data.id, facts=None, defaults=None, content=())
        return distribution_of(nothing, target, target_of(tree))


def _lock(recipe: Path, named: Node, problems: Problems) -> Path | None:
    """Return the lock file the recipe names, else the one beside it if there is one."""
    if named.text:
        path = recipe.absolute().parent / named.text
        if not os.path.isfile(path):
            hint = "without this line, `doit lock` makes one"
            problems.append((named, f"expected a lock file, found none at {path}; {hint}"))
        return path
    beside = recipe.absolute().parent / f"{recipe.stem}.lock.json"
    return beside if beside.is_file() else None


def _once(unfilled: Problems, problems: Problems) -> Problems:
    """Return the problems, of a text with a variable that has no value only that one."""
    places = {(node.where, node.path) for node, _ in unfilled}
    return [one for one in problems if one in unfilled or (one[0].where, one[0].path) not in places]


def _lines(problems: Problems) -> str:
    """Return one line a problem, in the order of the files, each said once."""
    files = {node.file: number for number, (node, _) in reversed(list(enumerate(problems)))}
    ordered = sorted(problems, key=lambda problem: (files[problem[0].file], problem[0].line))
    return "\n".join(dict.fromkeys(node.said(text) for node, text in ordered))
