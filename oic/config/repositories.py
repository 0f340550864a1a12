"""A distribution's repositories at the mirror that was asked for: those that are on, by default or by the recipe.

* The recipe's ``target.mirror`` comes before the distribution's own; ``host`` is what the host's own apt or dnf uses.
* A path may lead up from the mirror, which is the place of the first repository: others may be beside.
* ``{arch}``, ``$basearch`` and ``$releasever`` in a URL or path are the target's, in the family's own words.
* Keys are the recipe's ``target.mirrorKeys`` if given; else those the host's dnf has for the repository, if it is the
  host's; else the distribution's, where a path without a slash at its front is below the repository's own URL.
* A key may stand with its fingerprint, or several: ``{key, fingerprint}``.
* Whether the metadata are signed is the recipe's word, ``target.signedMetadata``, else the distribution's. Where they
  are not, https is what protects them, and each package is signed by itself: no deb is.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oic.config.apt_sources import read_mirrors
from oic.config.checks import TRUSTED
from oic.config.repository import Key, Repository, is_safe_way
from oic.config.urls import url_problem
from oic.errors import RecipeError
from oic.files import read_regular
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oic.config.source import Node

MOST_KEY = 2**20
"""Bytes of a key file."""
PRIORITY = 500
"""Of a repository that has none of its own."""
WORDS = ("arch", "basearch", "releasever")
"""The variables of URLs and paths."""


class _Place(Value):
    """Where a repository is; without `keys`, they are the distribution's own."""

    url: str
    mirror_list: str = ""
    keys: tuple[Key, ...] = ()
    of_host: bool = False


def repositories_of(facts: Node, name: str, target: Node, root: Path) -> tuple[Repository, ...]:
    """Return the repositories of a distribution's data file; raises RecipeError when the host knows no mirror."""
    architecture = facts.get("architectures", target.get("arch").text).text
    words = dict(zip(WORDS, (architecture, architecture, facts.get("release").text), strict=True))
    entries = [entry for entry in facts.get("repositories").items if is_on(entry, target)]
    mirror = target.get("mirror").text or facts.get("mirror").text
    if mirror != "host":
        places = [_below(mirror, entry, words, listed=not target.get("mirror").text) for entry in entries]
    elif facts.get("provider").text == "rpm":
        places = [_in_dnf(entry, name, words, root) for entry in entries]
    else:
        places = _in_apt(facts, name, entries, words, root)
    given = keys_in(target.get("mirrorKeys"))
    found = [
        replace(
            _repository(entry, place, given or place.keys or keys_in(entry.get("keys")), words),
            signed_metadata=_are_signed(target, entry),
        )
        for entry, place in zip(entries, places, strict=True)
    ]
    for repository in found:
        _check_unsigned(repository, facts.get("provider").text)
    return tuple(found)


def is_on(entry: Node, target: Node) -> bool:
    """Tell whether a repository of the data is built from: it is on by default, or the recipe names it."""
    return entry.get("enabled").value is not False or entry.get("name").text in target.get("repositories").texts


def keys_in(node: Node) -> tuple[Key, ...]:
    """Return the keys of a list."""
    return tuple(key_in(item) for item in node.items)


def key_in(node: Node) -> Key:
    """Return a key that is written as a text, or as a mapping of one with its fingerprints, in whatever letters."""
    given = node.get("fingerprint")
    pinned = [re.sub(r"\s", "", text).upper() for text in (given.texts or (given.text,)) if text]
    return Key(source=node.text or node.get("key").text, fingerprints=tuple(pinned))


def filled(text: str, words: Mapping[str, str]) -> str:
    """Return a URL or path with ``{name}``, ``$name`` and ``${name}`` of known names replaced."""
    names = "|".join(map(re.escape, words))
    pattern = re.compile(rf"\$\{{({names})\}}|\$({names})\b|\{{({names})\}}") if names else re.compile(r"(?!)")
    return pattern.sub(lambda match: words[next(filter(None, match.groups()))], text)


def _are_signed(target: Node, entry: Node) -> bool:
    """Tell whether a repository's metadata are signed: the recipe says so, else the data, else they are."""
    said = target.get("signedMetadata").value
    return (entry.get("signedMetadata").value if said is None else said) is not False


def _check_unsigned(repository: Repository, family: str) -> None:
    """Refuse metadata that are not signed where nothing else vouches for them; raises RecipeError."""
    if repository.signed_metadata or repository.trusted:
        return
    if family == "deb":
        hint = f"mirrorKeys: ['{TRUSTED}'] takes packages that nobody signed"
        message = "expected signed metadata, as no deb is signed by itself, found signedMetadata: false"
        raise RecipeError(f"{repository.name}: {message}", hint=hint)
    if not is_safe_way(url := repository.mirror_list or repository.url):
        hint = "or target.signedMetadata: true, if the mirror signs them"
        message = f"{repository.name}: expected an https URL, as its metadata are not signed, found {url}"
        raise RecipeError(message, hint=hint)


def _repository(entry: Node, place: _Place, keys: Sequence[Key], words: Mapping[str, str]) -> Repository:
    found = [key_of(key, words, place.url) for key in keys if key.source != TRUSTED]
    return Repository(
        name=entry.get("name").text,
        url=without_secrets(place.url),
        suite=entry.get("suite").text,
        components=entry.get("components").texts,
        keys=tuple(found),
        mirror_list=without_secrets(place.mirror_list),
        image_key=entry.get("imageKey").text,
        trusted=TRUSTED in {key.source for key in keys},
        of_host=place.of_host,
        further=entry.get("enabled").value is False,
        priority=entry.get("priority").integer or PRIORITY,
    )


def key_of(key: Key, words: Mapping[str, str], url: str) -> Key:
    """Return the key with its whole URL or path and, of a file of this host, the digest of what is there now."""
    source = filled(key.source, words)
    whole = replace(key, source=source if source.startswith("/") or "://" in source else f"{url}/{source}")
    try:
        if not whole.path:
            return whole
        return replace(whole, sha256=hashlib.sha256(read_regular(Path(whole.path), MOST_KEY)).hexdigest())
    except OSError:
        return whole  # who needs it says so


def _below(mirror: str, entry: Node, words: Mapping[str, str], *, listed: bool) -> _Place:
    """Return the place below a base URL; a security mirror is beside the main one, as in Debian's layout."""
    beside = "-security" if entry.get("mirror").text == "security" else ""
    base = filled(f"{mirror.rstrip('/')}{beside}", words).rstrip("/")
    path = filled(entry.get("path").text, words)
    while path.startswith("../"):
        base, path = base.rpartition("/")[0], path.removeprefix("../")
    if "://" not in base:
        message = f"expected a mirror below {entry.get('path').text}, where {entry.get('name').text} is, found {mirror}"
        raise RecipeError(message, hint="the mirror's URL is that of the distribution's first repository")
    return _Place(
        url=f"{base}/{path}".rstrip("/"), mirror_list=filled(entry.get("mirrorList").text, words) if listed else ""
    )


def _in_apt(facts: Node, name: str, entries: Sequence[Node], words: Mapping[str, str], root: Path) -> list[_Place]:
    keys = {key for entry in entries for key in entry.get("keys").texts}
    found = read_mirrors(facts.get("hostSuites").texts, keys, root)
    if found.main is None:
        raise RecipeError(
            f"expected a mirror of {name} among the host's apt sources, found none",
            where=str(root / "etc/apt"),
            hint="give target.mirror: a base URL",
        )
    places = []
    for entry in entries:
        if entry.get("mirror").text == "security" and found.security:
            places.append(_Place(url=found.security, of_host=True))
        else:
            places.append(replace(_below(found.main, entry, words, listed=False), of_host=True))
    return places


def _in_dnf(entry: Node, name: str, words: Mapping[str, str], root: Path) -> _Place:
    from oic.config.dnf_sources import read_repository  # noqa: PLC0415 - only where the host's packages are rpm

    ids = entry.get("hostRepositories").texts
    found = read_repository(ids, root)
    if found is None:
        wanted = " or ".join(ids) or f"one of {name}"
        raise RecipeError(
            f"expected the repository {wanted} enabled among those of the host's dnf, found none",
            where=str(root / "etc/yum.repos.d"),
            hint="give target.mirror: a base URL",
        )
    words = {**found.variables, **words}
    urls = [filled(url, words) for url in (found.url, found.mirror_list)]
    if unknown := [url for url in urls if "$" in url]:
        raise RecipeError(f"expected a URL without unknown variables, found {unknown[0]}", where=found.file)
    keys = tuple(Key(source=filled(key, words)) for key in found.keys)
    return _Place(url=urls[0] or urls[1], mirror_list=urls[1], keys=keys, of_host=True)


def without_secrets(url: str) -> str:
    """Return the URL, which will stand in the lock and the image; RecipeError for none, or one with a password."""
    if said := url_problem(url):
        raise RecipeError(said)
    return url
