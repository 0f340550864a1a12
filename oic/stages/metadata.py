"""metadata: each repository's signed index, verified, into the store; their digests into ``index.json``."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from oic.chroot import toolbox
from oic.config.model import Repository
from oic.files import read_json, write_json
from oic.net import HttpFetcher
from oic.progress import note
from oic.provider import provider_of
from oic.store import Store
from oic.values import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.stage import Stage

MEMO = "metadata-http.json"


def run(stage: Stage) -> str:
    """Fetch and verify; a mirror that says nothing has changed is believed only about bytes already verified."""
    part = stage.slice
    repositories = [_repository(entry) for entry in part["repositories"]]
    store = Store(stage.cache / "store")
    with toolbox.temporary_files_in(stage.path("work/metadata")), HttpFetcher() as fetcher:
        index = provider_of(part["provider"]).read_metadata(
            repositories, part["architecture"], fetcher, store, _previous(stage)
        )
    write_json(stage.path(MEMO), index.pop("http", {}))
    blobs = sorted({digest for digest in _digests(index) if store.has(digest)})
    stage.write({**index, "artefacts": [stage.artefact(store.path(digest)) for digest in blobs]})
    trusted = [repository.name for repository in repositories if repository.trusted]
    for name in trusted:
        note(f"the metadata of {name} is taken unsigned, by [trusted=yes] of the recipe")
    signed = len(repositories) - len(trusted)
    return f"{signed} repositories, signatures good" + (f"; {len(trusted)} unsigned" if trusted else "")


def _digests(value: Any) -> Iterator[Digest]:
    """Yield every sha256 in an index, whatever the family's shape of it."""
    if isinstance(value, dict | list):
        for below in value.values() if isinstance(value, dict) else value:
            yield from _digests(below)
    elif isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value):
        yield Digest(value)


def _repository(entry: dict[str, Any]) -> Repository:
    lists = {key: tuple(value) for key, value in entry.items() if isinstance(value, list)}
    return Repository(**{**entry, **lists})


def _previous(stage: Stage) -> dict[str, Any]:
    previous: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        previous = read_json(stage.path("index.json"))
        previous["http"] = read_json(stage.path(MEMO))
    return previous
