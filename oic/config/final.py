"""A recipe → the final config.

    recipe ─┬ parse ─ ${name} ─ schema ─ checks ─┐
    include ┘                                    ├ merge ─ checks of the whole ─> FinalConfig
    distribution's facts and defaults ───────────┘

* Nothing but files is read: recipe, parts, distribution's data, files the recipe names, the host's apt sources.
* All problems are one `RecipeError`, a line each: ``file:line: key.path: expected …, found …``.
* In the directory `validated`, a valid recipe leaves its digest as a marker, and each file its tree: jsonschema and
  PyYAML are slow to import.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oic.config.additional import file_notes, files_of, places_of
from oic.config.assemble import image_of, system_of, target_of
from oic.config.checks import disk_needs, problems_in, problems_of_whole, unsigned_problems
from oic.config.disk import IMG, ISO, artifacts_of
from oic.config.distribution import DistributionData, distribution_of, left_out
from oic.config.facts import problems_in_choice, problems_in_defaults, problems_in_facts
from oic.config.immutability import disk_and_root, without_idle
from oic.config.iso import installs, iso_of, names_installer, unbuilt_modes
from oic.config.medium import answers_of, as_medium, read_medium, template_of, unbuilt_template
from oic.config.model import FinalConfig
from oic.config.notes import family_notes, notes_in, series_notes, whole_notes
from oic.config.package_files import package_files
from oic.config.recipe_repositories import recipe_repositories
from oic.config.schema import problems_of, schema_bytes
from oic.config.secure_boot import secure_boot_notes, secure_boot_of
from oic.config.source import Node, read_bytes
from oic.config.trees import parse
from oic.config.unbuilt import unbuilt_in
from oic.config.variables import Variables
from oic.config.whole import is_overlay, read_whole
from oic.errors import RecipeError
from oic.values import ImageName, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from oic.config.additional import Places
    from oic.config.model import Distribution
    from oic.config.parts import Part
    from oic.config.whole import Whole

    Problems = list[tuple[Node, str]]

_IMAGE_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
NAMES_IN_CACHE = ("damaged", "layers", "store", "validated")
"""Names that no recipe can have, as the cache has them beside its images."""


def load_config(
    recipe: Path, variables: Mapping[str, str], *, validated: Path | None = None, root: Path = Path("/")
) -> FinalConfig:
    """Return the final config of a recipe file; raises RecipeError with every problem of it.

    `variables` are the command line's ``var.name=value``; `root` is where the host's apt sources are looked for.
    """
    problems: Problems = []
    lookup = Variables(variables, os.environ)
    reading = _Reading(recipe=recipe, name=_image_name(recipe), lookup=lookup, validated=validated, root=root)
    whole = read_whole(recipe, lookup, problems, validated)
    config = reading.config(whole, problems, _lock(recipe, whole.parts[-1].tree.get("lock"), problems))
    if config.target.image_type == IMG:
        return as_medium(config, installs=names_installer(config.system))
    return reading.with_medium(config, whole) if config.target.image_type == ISO else config


class _Reading(Value):
    """What the recipe of an image, and that of the initramfs which an ISO boots, are read with."""

    recipe: Path
    name: ImageName
    lookup: Variables
    validated: Path | None
    root: Path

    def config(self, whole: Whole, problems: Problems, lock: Path | None = None) -> FinalConfig:
        """Return the final config of a recipe; raises RecipeError with its problems, and those that there were."""
        parts, data, tree = whole.parts, whole.data, whole.tree
        _validate(parts, data, self.lookup.used, self.validated, problems)
        tree, switched_off = without_idle(tree, data.folder)
        for part in parts:
            problems += problems_in(part.tree)
        problems += _data_problems(data, whole.recipe)
        problems += (*problems_of_whole(tree), *(() if is_overlay(tree) else disk_needs(tree)))
        distribution = _distribution(data, whole.recipe, problems, self.root)
        places = places_of(self.recipe, parts, data.folder)
        files = files_of(tree, places, problems)
        packages = package_files(tree, distribution.provider, problems)
        secure_boot, not_here = secure_boot_of(tree, places, problems)
        if problems:
            raise RecipeError(_lines(_once(self.lookup.problems, problems)))
        of_parts = (one for part in parts for one in notes_in(part.tree))
        found = (*of_parts, *_notes(tree, places, distribution), *switched_off)
        disk, read_only = disk_and_root(tree)
        return FinalConfig(
            image_name=self.name,
            recipe=self.recipe.absolute(),
            lock=lock,
            image=image_of(tree),
            target=target_of(tree),
            distribution=distribution,
            repositories=(*distribution.tools_repositories, *recipe_repositories(tree, distribution, packages)),
            disk=disk,
            artifacts=artifacts_of(tree.get("disk"), tree.get("target", "imageType").text),
            system=system_of(tree, [file for file in files if file.kind], distribution.provider),
            notes=(*(node.said(text) for node, text in found), *left_out(data, whole.recipe)),
            unbuilt=tuple(node.said(text) for node, text in (*unbuilt_in(tree, data), *packages.missing, *not_here)),
            variables=tuple(self.lookup.used),
            read_only=read_only,
            secure_boot=secure_boot,
        )

    def with_medium(self, config: FinalConfig, whole: Whole) -> FinalConfig:
        """Return the config of an ISO with that of its initramfs; raises RecipeError with the problems of that."""
        if (path := template_of(whole, places_of(self.recipe, whole.parts, whole.data.folder))) is None:
            node, text = unbuilt_template(whole)
            return replace(config, unbuilt=(*config.unbuilt, node.said(text)))
        problems: Problems = []
        template = read_medium(whole, path, self.lookup, problems, self.validated)
        medium = replace(self, recipe=path).config(template, problems)
        iso = iso_of(whole.tree, medium.system, answers_of(whole.tree, problems))
        if problems:
            raise RecipeError(_lines(problems))
        unbuilt = [node.said(text) for node, text in unbuilt_modes(whole.tree, iso)]
        return replace(
            config,
            iso=iso,
            medium=as_medium(medium, installs=installs(iso)),
            notes=tuple(dict.fromkeys((*config.notes, *medium.notes))),
            unbuilt=tuple(dict.fromkeys((*config.unbuilt, *unbuilt, *medium.unbuilt))),
            variables=medium.variables,
        )


def _notes(tree: Node, places: Places, distribution: Distribution) -> Iterator[tuple[Node, str]]:
    """Say what of a merged recipe has no effect, and what of its files is to know."""
    yield from file_notes(tree, places)
    yield from secure_boot_notes(tree, places)
    yield from family_notes(tree, distribution.provider)
    yield from whole_notes(tree)
    yield from series_notes(tree, distribution)


def is_default(recipe: Path, validated: Path | None = None) -> bool:
    """Return whether a bare ``doit build`` builds this recipe; raises RecipeError when that cannot be told."""
    data = read_bytes(recipe)
    return b"default" in data and parse(data, recipe, validated).get("default").true


def _image_name(recipe: Path) -> ImageName:
    if not re.fullmatch(_IMAGE_NAME, recipe.stem):
        said = "expected a file name of letters, digits, '.', '_' and '-', as tasks are named after it"
        raise RecipeError(f"{said}, found '{recipe.name}'", where=str(recipe))
    if recipe.stem in NAMES_IN_CACHE:
        said = f"expected another file name, found '{recipe.name}'"
        raise RecipeError(f"{said}: the cache has a directory '{recipe.stem}' already", where=str(recipe))
    return ImageName(recipe.stem)


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
        if not any(node.path.startswith("target.") for node, _ in problems):
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
