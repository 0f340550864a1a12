"""The entries of repositories in an index of the rpm family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.ospackage.indexed import ListedFile, RpmRepository

if TYPE_CHECKING:
    from oic.config.repository import Repository
    from oic.handover.collected import CollectedRepository


def origin_of(repository: Repository) -> str:
    """Return what identifies a repository whichever mirror answers."""
    return repository.mirror_list or repository.url


def made_entry(repository: Repository, made: CollectedRepository) -> RpmRepository:
    """Return the entry of a repository that the build made of package files."""
    size = int(made.listing_size)
    file = ListedFile(sha256=made.listing, checksum=f"sha256:{made.listing}", compression="", plain_size=size)
    return entry_of(repository, file)


def entry_of(repository: Repository, primary: ListedFile) -> RpmRepository:
    """Return the entry of a repository that has this primary and that nobody signed."""
    return RpmRepository(
        name=repository.name,
        origin=origin_of(repository),
        url=repository.url,
        suite="",
        components=(),
        priority=repository.priority,
        allow_packages=repository.allow_packages,
        signers=(),
        trusted=repository.trusted,
        keys=(),
        documents=(),
        revision="",
        timestamp=0,
        primary=primary,
        filelists=None,
        group=repository.group,
    )
