"""metadata: each repository's index, verified, into the store; their digests into ``index.json``."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from oic.chroot import toolbox
from oic.config.repository import Repository  # noqa: TC001 - in a slice
from oic.errors import SolveError
from oic.files import read_json, write_json
from oic.handover.packages import Index
from oic.ospackage.fetch import open_fetcher
from oic.ospackage.lock import parse_json, read_lock
from oic.ospackage.origin import known_of_index, known_of_lock
from oic.ospackage.store import Store
from oic.progress import note
from oic.provider import provider_of
from oic.stage import Kind
from oic.values import Digest, Value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from oic.ospackage.origin import Known
    from oic.stage import Stage

MEMO = "metadata-http.json"


class Slice(Value):
    """What metadata is fetched, and by which keys it is signed."""

    provider: str
    architecture: str
    repositories: tuple[Repository, ...]


def run(stage: Stage[Slice]) -> str:
    """Fetch and verify; a mirror that says nothing has changed is believed only about bytes already verified."""
    part = stage.slice
    repositories = part.repositories
    previous = _previous(stage)
    store = Store(stage.cache / "store")
    with toolbox.temporary_files_in(stage.path("work/metadata")), open_fetcher() as fetcher:
        index = provider_of(part.provider).read_metadata(repositories, part.architecture, fetcher, store, previous)
    write_json(stage.path(MEMO), index.pop("http", {}))
    blobs = sorted({digest for digest in _digests(index) if store.has(digest)})
    stage.write(Index(content=index, blobs=tuple(stage.artefact(store.path(digest)) for digest in blobs)))
    vouched = {key["url"] for entry in index["repositories"] for key in entry["keys"] if key["vouched"]}
    for line in first_uses(known_of_index(index), previous["known"], vouched):
        note(line)
    trusted = [repository.name for repository in repositories if repository.trusted]
    for name in trusted:
        note(f"the metadata of {name} is taken unsigned, by [trusted=yes] of the recipe")
    unsigned = [entry.name for entry in repositories if not entry.signed_metadata and not entry.trusted]
    for name in unsigned:
        note(
            f"the metadata of {name} are not signed: they came by https; each package is held against its own signature"
        )
    counts = [f"{len(repositories) - len(trusted) - len(unsigned)} repositories, signatures good"]
    counts += [f"{len(unsigned)} with unsigned metadata"] if unsigned else []
    counts += [f"{len(trusted)} unsigned"] if trusted else []
    return "; ".join(counts)


def _digests(value: Any) -> Iterator[Digest]:
    """Yield every sha256 in an index, whatever the family's shape of it."""
    if isinstance(value, dict | list):
        for below in value.values() if isinstance(value, dict) else value:
            yield from _digests(below)
    elif isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value):
        yield Digest(value)


def first_uses(known: Known, before: Known, vouched: Collection[str] = ()) -> Iterator[str]:
    """Say which keys are trusted because their URL gave them, for the first time; those `vouched` for are not."""
    for name, entry in sorted(known.items()):
        for url, found in entry["keys"].items():
            if url not in vouched and url not in before.get(name, {}).get("keys", {}):
                yield f"{name} trusts the key {', '.join(found)} of {url} on first use"


def _previous(stage: Stage[Slice]) -> dict[str, Any]:
    previous: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError, KeyError):
        previous = read_json(stage.path("index.json"))["content"]
        previous["http"] = read_json(stage.path(MEMO))
    previous["known"] = {} if stage.new_keys else known_in(stage.directory, stage.memory)
    return previous


def known_in(directory: Path, kept: Path | None = None) -> Known:
    """Return who is remembered to sign: by the last index, else by what was solved, else by a lock that is kept."""
    known: Known = {}
    for lock in (kept, directory / "lock.json"):
        with contextlib.suppress(OSError, ValueError, SolveError):
            known |= known_of_lock(read_lock(parse_json(lock.read_text("utf-8")))) if lock else {}
    with contextlib.suppress(OSError, ValueError, KeyError):
        known |= known_of_index(read_json(directory / "index.json")["content"])
    return known


KIND = Kind(
    name="metadata",
    version=4,
    doc="fetch and verify the repositories' signed metadata",
    reads=(),
    writes=(Index,),
    run=run,
)
