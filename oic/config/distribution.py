"""A distribution is a folder of data: ``distributions/<os>/<dist>/``.

* ``distribution.yml``: its facts, by ``schemas/distribution.schema.json``;
* ``<imageType>-<arch>.yml``: what such an image is by default, in the shape of a recipe;
* the files these name.

A new folder is a new distribution; no code knows one by name but `PLANNED`, those whose data is still to come.
The environment's ``OIC_DISTRIBUTIONS`` names a folder of one's own, looked at before the shipped one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oic.config.apt_sources import Mirrors, read_mirrors
from oic.config.model import Distribution, Repository
from oic.config.source import Node, parse, read_bytes
from oic.errors import RecipeError

if TYPE_CHECKING:
    from oic.config.model import Target

PLANNED = {
    "azure-linux/azl3": "rpm",
    "edge-microvisor-toolkit/emt3": "rpm",
    "redhat-compatible-distro/el10": "rpm",
    "ubuntu/ubuntu24": "deb",
    "ubuntu/ubuntu26": "deb",
    "wind-river-elxr/elxr12": "deb",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionData:
    """A distribution's data files as read: `facts` and `defaults` are None where there is no such file."""

    id: str
    facts: Node | None
    defaults: Node | None
    content: tuple[bytes, ...]


def distributions_folders() -> tuple[Path, ...]:
    """Return the folders of all distributions, the user's own first; raises RecipeError when that is none."""
    shipped = Path(str(files("oic"))) / "distributions"
    own = os.environ.get("OIC_DISTRIBUTIONS", "")
    if not own:
        return (shipped,)
    if not Path(own).is_absolute() or not Path(own).is_dir():
        raise RecipeError(f"expected the absolute path of a folder, found '{own}'", where="OIC_DISTRIBUTIONS")
    return (Path(own), shipped)


def known_distributions() -> tuple[str, ...]:
    """Return ``os/dist`` of every distribution that has data, or will."""
    return tuple(sorted({*_places(), *PLANNED}))


def read_distribution(target: Target) -> DistributionData:
    """Read the data files of a target's distribution; raises RecipeError when one cannot be read."""
    name = f"{target.os}/{target.dist}"
    folder = _places().get(name)
    if folder is None:
        return DistributionData(id=name, facts=None, defaults=None, content=())
    paths = (folder / "distribution.yml", folder / f"{target.image_type}-{target.arch}.yml")
    there = {path: read_bytes(path) for path in paths if path.is_file()}
    facts, defaults = (parse(there[path], path) if path in there else None for path in paths)
    return DistributionData(id=name, facts=facts, defaults=defaults, content=tuple(there.values()))


def _places() -> dict[str, Path]:
    """Return the folder of every distribution that has data."""
    return {
        path.parent.relative_to(folder).as_posix(): path.parent
        for folder in reversed(distributions_folders())
        for path in folder.glob("*/*/distribution.yml")
    }


def distribution_of(data: DistributionData, target: Target, mirror: str, *, root: Path = Path("/")) -> Distribution:
    """Return the facts as values; raises RecipeError when no mirror is known.

    `mirror` is the recipe's (``host``, a base URL, or empty for the distribution's own).
    """
    if data.facts is None:
        provider = PLANNED.get(data.id, "")
        return Distribution(id=data.id, provider=provider, release="", architecture="", tools=(), tools_repositories=())
    facts = data.facts
    return Distribution(
        id=data.id,
        provider=facts.get("provider").text,
        release=facts.get("release").text,
        architecture=facts.get("architectures", target.arch).text,
        tools=facts.get("tools").texts,
        tools_repositories=_repositories(facts, _mirrors(facts, data.id, mirror or facts.get("mirror").text, root)),
    )


def _mirrors(facts: Node, name: str, mirror: str, root: Path) -> Mirrors:
    if mirror != "host":
        main = mirror.rstrip("/")
        return Mirrors(main=_without_secrets(main), security=_security_beside(main))
    keys = {key for repository in facts.get("repositories").items for key in repository.get("keys").texts}
    found = read_mirrors(facts.get("hostSuites").texts, keys, root)
    if found.main is None:
        raise RecipeError(
            f"expected a mirror of {name} among the host's apt sources, found none",
            where=str(root / "etc/apt"),
            hint="give target.mirror: a base URL",
        )
    main = _without_secrets(found.main)
    return Mirrors(main=main, security=_without_secrets(found.security or _security_beside(main)))


def _without_secrets(url: str) -> str:
    """Return the URL, which will stand in the lock and the image; raises RecipeError when it holds a password."""
    if "@" in urlsplit(url).netloc:
        hint = "it would stand in the lock and the image; put both into ~/.netrc"
        raise RecipeError("expected the mirror's URL without user and password, found it with them", hint=hint)
    return url


def _security_beside(main: str) -> str:
    """Return the security mirror that Debian's layout puts beside a main one."""
    return f"{main}-security"


def _repositories(facts: Node, mirrors: Mirrors) -> tuple[Repository, ...]:
    return tuple(
        Repository(
            name=entry.get("name").text,
            url=str(mirrors.security if entry.get("mirror").text == "security" else mirrors.main),
            suite=entry.get("suite").text,
            components=entry.get("components").texts,
            keys=entry.get("keys").texts,
        )
        for entry in facts.get("repositories").items
    )
