"""Tasks that find and start recipes: they are of no image, so they need none.

* ``recipes`` lists the recipes that can be named where the user stands: those of this directory and of the shelf.
* ``new`` writes a recipe there, which builds as it is. It replaces no file.
"""

from __future__ import annotations

import os
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oic.config.distribution import known_distributions
from oic.config.final import NAMES_IN_CACHE
from oic.config.model import Target
from oic.config.schema import did_you_mean, schema_of
from oic.config.starter import starter_text
from oic.config.variables import Variables
from oic.config.whole import read_whole
from oic.errors import OicError
from oic.tasks.answers import say
from oic.values import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def list_recipes(folders: tuple[Path, ...], given: Mapping[str, str]) -> None:
    """Print the recipes of these folders, those that have the given word if there is one."""
    word = given.get("word", "").casefold()
    found = [entry for folder in folders for entry in _entries(folder, folders[0]) if word in _searched(entry)]
    if given.get("format") == "json":
        say(to_json(found).rstrip())
    elif not found:
        say(f"no recipe here has the word {given['word']}" if word else "no recipe here; oic new writes one")
    width = max((len(entry["file"]) for entry in found), default=0)
    for entry in found if given.get("format") != "json" else ():
        say(f"{entry['file']:{width}}  {entry['dist']} {entry['arch']} {entry['imageType']}  {entry['description']}")
        for key, title in (("use_cases", "use cases"), ("keywords", "keywords")):
            if entry[key]:
                say(f"{'':{width}}  {title}: {', '.join(entry[key])}")


def _entries(folder: Path, stood_in: Path) -> Iterator[dict[str, Any]]:
    """Yield what the recipes of a folder say of themselves; a file without image or target is none."""
    for path in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
        try:
            tree = read_whole(path, Variables({}, os.environ), []).recipe
        except OicError:
            continue  # no recipe, or one whose mistakes `validate` says
        image, target, about = tree.get("image"), tree.get("target"), tree.get("metadata")
        if image.entries and target.entries:
            yield {
                "file": os.path.relpath(path, stood_in),
                "name": image.get("name").text,
                "version": image.get("version").text,
                **{key: target.get(key).text for key in ("os", "dist", "arch", "imageType")},
                "description": " ".join(about.get("description").text.split()),
                "use_cases": about.get("use_cases").texts,
                "keywords": about.get("keywords").texts,
            }


def _searched(entry: Mapping[str, Any]) -> str:
    return "\n".join(
        text for value in entry.values() for text in ((value,) if isinstance(value, str) else value)
    ).casefold()


def check_new(given: Mapping[str, str]) -> None:
    """Raise OicError for a name that no recipe can have, or for no distribution, or one that is not known."""
    name = given.get("name", "")
    field = schema_of("recipe")["$defs"]["image"]["properties"]["name"]
    if not re.fullmatch(field["pattern"].removesuffix("$"), name) or name in NAMES_IN_CACHE:
        found = f"name={name}" if name else "none"
        hint = "the cache has a directory of that name" if name in NAMES_IN_CACHE else None
        raise OicError(f"expected name=NAME of {field['title']}, found {found}", hint=hint)
    _target(given)


def write_recipe(folder: Path, given: Mapping[str, str]) -> None:
    """Write a recipe of the given name into a folder; raises OicError."""
    name, target = given["name"], _target(given)
    path = folder / f"{name}.yml"
    text = starter_text(name, target, _schema_from(folder))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise OicError(
            "expected a name that no file has, found one", where=str(path), hint="say another name="
        ) from None
    except OSError as error:
        raise OicError(f"cannot be written: {error.strerror}", where=str(path)) from None
    say(f"{path}: a recipe of {target.os}/{target.dist}, complete as it is; to build it: oic build {path.name}")


def _schema_from(folder: Path) -> str:
    """Return the path of the schema: a relative one in the clone that it is in, which others may have elsewhere."""
    package = Path(str(files("oic")))
    schema = package / "schemas/recipe.schema.json"
    is_inside = folder.is_relative_to(package.parent) and (package.parent / "dodo.py").exists()
    return os.path.relpath(schema, folder) if is_inside else str(schema)


def _target(given: Mapping[str, str]) -> Target:
    """Return the target of ``os=`` and ``dist=``; one of them is enough where it names one distribution."""
    known = [tuple(name.split("/")) for name in known_distributions()]
    for number, key in enumerate(("os", "dist")):
        words = sorted({name[number] for name in known})
        if key in given and given[key] not in words:
            raise OicError(
                f"expected {key}= one of {', '.join(words)}, found {given[key]}{did_you_mean(given[key], words)}"
            )
    found = [(one, two) for one, two in known if given.get("os", one) == one and given.get("dist", two) == two]
    if len(found) != 1:
        choice = ", ".join(f"os={one} dist={two}" for one, two in (found or known))
        raise OicError(f"expected os= and dist=, one of: {choice}")
    ((os_, dist),) = found
    return Target(os=os_, dist=dist, arch="x86_64", image_type="raw")
