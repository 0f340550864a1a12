"""A distribution is a folder of data: ``distributions/<os>/<dist>/``.

* ``distribution.yml``: its facts, by ``schemas/distribution.schema.json``;
* ``<imageType>-<arch>.yml``: what such an image is by default, in the shape of a recipe;
* the files these name.

A new folder is a new distribution; no code knows one by name but `PLANNED`, those whose data is still to come.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

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


def distributions_folder() -> Path:
    """Return the folder of all distributions."""
    return Path(str(files("oic"))) / "distributions"


def known_distributions() -> tuple[str, ...]:
    """Return ``os/dist`` of every distribution that has data, or will."""
    folder = distributions_folder()
    there = {path.parent.relative_to(folder).as_posix() for path in folder.glob("*/*/distribution.yml")}
    return tuple(sorted(there.union(PLANNED)))


def read_distribution(target: Target) -> DistributionData:
    """Read the data files of a target's distribution; raises RecipeError when one cannot be read."""
    name = f"{target.os}/{target.dist}"
    folder = distributions_folder() / name
    facts, defaults = folder / "distribution.yml", folder / f"{target.image_type}-{target.arch}.yml"
    there = {path: read_bytes(path) for path in (facts, defaults) if name in known_distributions() and path.is_file()}
    return DistributionData(
        id=name,
        facts=parse(there[facts], facts) if facts in there else None,
        defaults=parse(there[defaults], defaults) if defaults in there else None,
        content=tuple(there.values()),
    )


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
        return Mirrors(main=mirror.rstrip("/"), security=_security_beside(mirror.rstrip("/")))
    keys = {key for repository in facts.get("repositories").items for key in repository.get("keys").texts}
    found = read_mirrors(facts.get("hostSuites").texts, keys, root)
    if found.main is None:
        raise RecipeError(
            f"expected a mirror of {name} among the host's apt sources, found none",
            where=str(root / "etc/apt"),
            hint="give target.mirror: a base URL",
        )
    return Mirrors(main=found.main, security=found.security or _security_beside(found.main))


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
