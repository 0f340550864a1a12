"""The slices of the package stages: what is asked of which repositories, and how it is checked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from oic.files import to_plain

if TYPE_CHECKING:
    from oic.config.model import FinalConfig


def request_of(config: FinalConfig) -> dict[str, Any]:
    """Return what the solver is asked: the part of the config that a lock answers."""
    names = [*config.system.packages, *config.system.kernel.packages]
    sets = {
        "image": {"names": list(dict.fromkeys(names)), "essential": True},
        "tools": {"names": list(config.distribution.tools), "essential": False},
    }
    architecture = config.distribution.architecture
    asked = {"architecture": architecture, "recommends": config.system.recommends, "sets": sets}
    further = " ".join(entry.name for entry in config.repositories if entry.further)
    return {"request": {**asked, "repositories": further} if further else asked}


def demands_of(config: FinalConfig) -> dict[str, Any]:
    """Return the repositories as a lock is held against them, without what decides which packages are taken."""
    every = {one.name: one for one in (*config.repositories, *config.distribution.tools_repositories)}
    entries = (replace(entry, image_key="", priority=0, allow_packages=(), further=False) for entry in every.values())
    return {"repositories": [to_plain(entry) for entry in entries]}


def download_of(config: FinalConfig) -> dict[str, Any]:
    """Return whose present index is looked at, for a lock that is kept: what it was made from may be gone."""
    if not config.lock:
        return {}
    facts = config.distribution
    return {"provider": facts.provider, "architecture": facts.architecture, **demands_of(config)}


def verify_of(config: FinalConfig) -> dict[str, Any]:
    """Return what each package is held against: the repositories' keys, and the lock file that was kept."""
    kept = config.lock.name if config.lock else ""
    return {"provider": config.distribution.provider, **demands_of(config), "kept": kept}


def repositories_of(config: FinalConfig) -> dict[str, Any]:
    """Return what metadata is fetched, by which keys it is signed."""
    every = {entry.name: to_plain(entry) for entry in (*config.repositories, *config.distribution.tools_repositories)}
    for entry in every.values():
        for word in ("image_key", "of_host", "further"):
            del entry[word]  # not the metadata's business
        for key in entry["keys"]:
            del key["sha256"]  # what was fetched and verified stays so when a keyring of the host changes
    return {"architecture": config.distribution.architecture, "repositories": list(every.values())}
