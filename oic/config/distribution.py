"""A distribution is a folder of data: ``distributions/<os>/<dist>/``.

* ``distribution.yml``: its facts, by ``schemas/distribution.schema.json``;
* ``<imageType>-<arch>.yml``: what such an image is by default, in the shape of a recipe;
* the files these name.

A new folder is a new distribution; no code knows one by name.
The environment's ``OIC_DISTRIBUTIONS`` names a folder of one's own, looked at before the shipped one.
"""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from oic.config.model import Distribution
from oic.config.repositories import is_on, repositories_of
from oic.config.source import Node, read_bytes
from oic.config.trees import parse
from oic.errors import RecipeError, one_line
from oic.values import Value

if TYPE_CHECKING:
    from oic.config.model import Target


class DistributionData(Value):
    """A distribution's data files as read: `facts` and `defaults` are None where there is no such file.

    `folder` is where they are.
    """

    id: str
    facts: Node | None
    defaults: Node | None
    content: tuple[bytes, ...]
    folder: Path | None = None


def distributions_folders() -> tuple[Path, ...]:
    """Return the folders of all distributions, the user's own first; raises RecipeError when that is none."""
    shipped = Path(str(files("oic"))) / "distributions"
    own = os.environ.get("OIC_DISTRIBUTIONS", "")
    if not own:
        return (shipped,)
    if not Path(own).is_absolute() or not os.path.isdir(own):
        raise RecipeError(f"expected the absolute path of a folder, found '{own}'", where="OIC_DISTRIBUTIONS")
    return (Path(own), shipped)


def known_distributions() -> tuple[str, ...]:
    """Return ``os/dist`` of every distribution that has data."""
    return tuple(sorted(_places()))


def read_distribution(target: Target, kept: Path | None = None) -> DistributionData:
    """Read the data files of a target's distribution; raises RecipeError when one cannot be read."""
    name = f"{target.os}/{target.dist}"
    folder = _places().get(name)
    if folder is None:
        return DistributionData(id=name, facts=None, defaults=None, content=())
    paths = (folder / "distribution.yml", folder / f"{target.image_type}-{target.arch}.yml")
    there = {path: read_bytes(path) for path in paths if os.path.isfile(path)}  # no schema has seen the words yet
    facts, defaults = (parse(there[path], path, kept) if path in there else None for path in paths)
    return DistributionData(id=name, facts=facts, defaults=defaults, content=tuple(there.values()), folder=folder)


def _places() -> dict[str, Path]:
    """Return the folder of every distribution that has data."""
    return {
        path.parent.relative_to(folder).as_posix(): path.parent
        for folder in reversed(distributions_folders())
        for path in folder.glob("*/*/distribution.yml")
    }


def distribution_of(data: DistributionData, given: Node, target: Target, *, root: Path = Path("/")) -> Distribution:
    """Return the facts as values; raises RecipeError when no mirror is known.

    `given` is the recipe's ``target``, which may name another mirror and the keys of that one.
    """
    if data.facts is None:
        return Distribution(id=data.id, provider="", release="", architecture="", tools=(), tools_repositories=())
    facts = data.facts
    return Distribution(
        id=data.id,
        provider=facts.get("provider").text,
        release=facts.get("release").text,
        architecture=facts.get("architectures", target.arch).text,
        tools=facts.get("tools").texts,
        tools_for={word: packages.texts for word, packages in facts.get("toolsFor").entries.items()},
        packages_for={word: packages.texts for word, packages in facts.get("packagesFor").entries.items()},
        scriptlets_may_fail=facts.get("scriptletsMayFail").texts,
        kernel_version_ignored=facts.get("kernelVersionIgnored").true,
        tools_repositories=repositories_of(facts, data.id, given, root),
        off=tuple(entry.get("name").text for entry in facts.get("repositories").items if not is_on(entry, given)),
    )


def left_out(data: DistributionData, tree: Node) -> tuple[str, ...]:
    """Say what the distribution's own disk images have and its defaults do not, unless the recipe sets the field."""
    is_raw = tree.get("target", "imageType").text == "raw"
    nodes = data.facts.get("notYet").entries if data.facts and is_raw else {}
    return tuple(
        one_line(f"not yet as the public default of {data.id}: {words.text}")
        for key, words in nodes.items()
        if tree.get(*key.split(".")).value is None
    )
