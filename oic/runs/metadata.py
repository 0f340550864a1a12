"""Runs the stage `oic.stages.metadata`."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from oic.chroot import toolbox
from oic.config.repository import is_made
from oic.errors import SolveError
from oic.files import write_json
from oic.handover.collected import Collected
from oic.handover.packages import Index, LockFile
from oic.ospackage.fetch import open_fetcher
from oic.ospackage.origin import UNKNOWN, known_of_index, known_of_lock
from oic.ospackage.store import Store
from oic.progress import note
from oic.provider import provider_of
from oic.provider.documents import Answer
from oic.provider.protocol import Previous

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from oic.handover.collected import CollectedRepository
    from oic.ospackage.origin import Known, KnownSigners
    from oic.stage import Stage
    from oic.stages.metadata import Slice


MEMO = "metadata-http.json"
"""The servers' answers by URL; only this stage reads them."""


def run(stage: Stage[Slice]) -> str:
    """Download and verify. "Not modified" is accepted from a mirror only for content that was verified before."""
    part = stage.slice
    repositories = part.repositories
    previous = _previous(stage)
    store = Store(stage.cache / "store")
    with toolbox.temporary_files_in(stage.path("work/metadata")), open_fetcher() as fetcher:
        provider = provider_of(part.provider)
        found = provider.read_metadata(repositories, part.architecture, fetcher, store, previous, _made(stage))
    write_json(stage.path(MEMO), found.answers)
    stage.write(found.index)
    indexed = found.index.repositories
    vouched = {key.url for entry in indexed for key in entry.keys if key.vouched}
    for line in first_uses(known_of_index(indexed), previous.known, vouched):
        note(line)
    made = [repository.name for repository in repositories if is_made(repository.url)]
    trusted = [repository.name for repository in repositories if repository.trusted and repository.name not in made]
    for name in trusted:
        note(f"the metadata of {name} is taken unsigned, by [trusted=yes] of the recipe")
    unsigned = [entry.name for entry in repositories if not entry.signed_metadata and not entry.trusted]
    for name in unsigned:
        note(
            f"the metadata of {name} are not signed: they came by https; each package is held against its own signature"
        )
    signed = len(repositories) - len(trusted) - len(unsigned) - len(made)
    counts = [f"{signed} repositories, signatures good"]
    counts += [f"{len(unsigned)} with unsigned metadata"] if unsigned else []
    counts += [f"{len(trusted)} unsigned"] if trusted else []
    counts += [f"{len(made)} of package files"] if made else []
    return "; ".join(counts)


def _made(stage: Stage[Slice]) -> Mapping[str, CollectedRepository]:
    return stage.read(Collected).repositories if Collected in stage.reads else {}


def first_uses(known: Known, before: Known, vouched: Collection[str] = ()) -> Iterator[str]:
    """Yield a line for each key that is trusted for the first time because of its URL alone, not one `vouched` for."""
    for name, entry in sorted(known.items()):
        for url, found in entry.keys.items():
            if url not in vouched and url not in before.get(name, UNKNOWN).keys:
                yield f"{name} trusts the key {', '.join(found)} of {url} on first use"


def _previous(stage: Stage[Slice]) -> Previous:
    index, answers = None, {}
    with contextlib.suppress(OSError, ValueError):  # an index of an older form is ignored
        index = _last_index(stage.directory)
        answers = msgspec.json.decode(stage.path(MEMO).read_bytes(), type=dict[str, Answer])
    known = {} if stage.new_keys else known_in(stage.directory, stage.memory)
    return Previous(index=index, known=known, answers=answers)


def _last_index(directory: Path) -> Index:
    return Index.from_text((directory / Index.FILE).read_text(encoding="utf-8"))


def known_in(directory: Path, kept: Path | None = None) -> Known:
    """Return the known signers, from the last index, else from the last solved lock, else from the user's lock."""
    known: dict[str, KnownSigners] = {}
    for lock in (kept, directory / LockFile.FILE):
        with contextlib.suppress(OSError, ValueError, SolveError):
            known |= known_of_lock(LockFile.from_text(lock.read_text("utf-8")).lock) if lock else {}
    with contextlib.suppress(OSError, ValueError):
        known |= known_of_index(_last_index(directory).repositories)
    return known
