"""The repositories of a recipe, ``packageRepositories``, as values.

* The name of a repository is its ``codename``, made unique: messages, the lock and the image's files use it.
* For debs ``codename`` is the suite, and ``component`` lists the components; a suite that ends with a slash is the
  directory of a flat repository, which has none (sources.list(5)).
* A repository without a priority, or with 0, has that of the distribution's own, 500. For rpms a lower one counts as
  500 too.
* A path of this host becomes a file URL. A repository of package files has a URL of no place: its name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from oic.config.checks import TRUSTED
from oic.config.notes import KEY_PLACEHOLDER, is_left_out
from oic.config.repositories import PRIORITY, WORDS, filled, key_in, key_of, without_secrets
from oic.config.repository import MADE, Repository

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from oic.config.model import Distribution
    from oic.config.package_files import FilesOfRecipe
    from oic.config.repository import Key, PackageFile
    from oic.config.source import Node

_DEFAULT_COMPONENT = "main"
_OF_FILES = "packages"
"""The name of a repository of package files that the recipe gives none."""
_NO_NAME = r"[^A-Za-z0-9._-]+"


def recipe_repositories(tree: Node, distribution: Distribution, files: FilesOfRecipe) -> tuple[Repository, ...]:
    """Return the repositories of a merged recipe; raises RecipeError for a URL with a password."""
    words = dict(zip(WORDS, (distribution.architecture, distribution.architecture, distribution.release), strict=True))
    taken = {entry.name for entry in distribution.tools_repositories} | set(distribution.off)
    return tuple(_repositories(tree, distribution.provider, words, taken, files.by_place))


def keys_of(entry: Node) -> tuple[Key, ...]:
    """Return the key files of a repository, without placeholders and the word for an unsigned one."""
    return tuple(key for key in _keys(entry) if key.source not in {TRUSTED, KEY_PLACEHOLDER})


def is_trusted(entry: Node) -> bool:
    """Tell whether the recipe takes a repository unsigned."""
    return TRUSTED in {key.source for key in _keys(entry)}


def _repositories(
    tree: Node,
    family: str,
    words: Mapping[str, str],
    taken: Collection[str],
    files: Mapping[int, tuple[PackageFile, ...]],
) -> Iterator[Repository]:
    names = set(taken)
    for number, entry in enumerate(tree.get("packageRepositories").items):
        place = entry.get("url").text or entry.get("mirrorList").text or entry.get("path").text
        if is_left_out(entry) or not (place or entry.get("packages").items):
            continue
        name = _unique(entry.get("codename").text or ("" if place else _OF_FILES), names)
        names.add(name)
        if not place:
            yield _made_of(files.get(number, ()), name, entry, family)
            continue
        url = without_secrets(filled(place if "://" in place else f"file://{quote(place)}", words)).rstrip("/")
        suite = entry.get("codename").text if family == "deb" else ""
        yield Repository(
            name=name,
            url=url,
            suite=suite,
            components=_components(entry, suite),
            mirror_list=url if entry.get("mirrorList").text else "",
            keys=tuple(key_of(key, words, url) for key in keys_of(entry)),
            trusted=is_trusted(entry),
            signed_metadata=entry.get("signedMetadata").value is not False,
            priority=_priority(entry.get("priority").integer or PRIORITY, family),
            allow_packages=entry.get("allowPackages").texts,
            of_recipe=True,
        )


def _made_of(files: tuple[PackageFile, ...], name: str, entry: Node, family: str) -> Repository:
    """Return the repository that a build makes of package files: nobody signs it."""
    return Repository(
        name=name,
        url=f"{MADE}{name}",
        keys=(),
        trusted=True,
        priority=_priority(entry.get("priority").integer or PRIORITY, family),
        allow_packages=entry.get("allowPackages").texts,
        of_recipe=True,
        files=files,
        insecure=entry.get("insecureSkipVerify").true,
    )


def _unique(codename: str, taken: Collection[str]) -> str:
    stem = re.sub(_NO_NAME, "-", codename).strip("-.") or "repository"
    numbered = (f"{stem}-{number}" for number in range(2, len(taken) + 3))
    return stem if stem not in taken else next(name for name in numbered if name not in taken)


def _components(entry: Node, suite: str) -> tuple[str, ...]:
    if not suite or suite.endswith("/"):
        return ()
    return tuple(dict.fromkeys(entry.get("component").text.split())) or (_DEFAULT_COMPONENT,)


def _priority(given: int, family: str) -> int:
    return max(given, PRIORITY) if family == "rpm" else given


def _keys(entry: Node) -> tuple[Key, ...]:
    found = (key_in(node) for node in (entry.get("pkey"), *entry.get("pkeys").items))
    return tuple(key for key in found if key.source)
