"""What an ISO carries of the repositories: the locked packages of its image, and the indexes that vouch for them.

::

    cache-repo/bookworm/dists/bookworm/InRelease        as the repository signed it
                        dists/bookworm/main/binary-amd64/by-hash/SHA256/…
                        pool/main/b/bash/bash_5.2.15-2+b7_amd64.deb
    cache-repo/azurelinux-official-base/repodata/repomd.xml, repomd.xml.asc, primary.xml.gz
                                        Packages/b/bash-5.2.15-3.azl3.x86_64.rpm

* Nothing is signed anew: apt and dnf check the distribution's own signatures, with the keys that they have. Where only
  packages are signed, as those of Edge Microvisor Toolkit, dnf checks only them.
* An index lists every package of its repository. Those that are not of the image cannot be installed from the medium.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from oic.errors import OicError
from oic.ospackage.entry import climbs
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from oic.ospackage.locked import Lock, LockedDocument, LockedPackage, LockedRepository
    from oic.values import Bytes, Digest

DIRECTORY = "cache-repo"


class Carried(Value):
    """A file of the medium, and the blob of the store that it is."""

    path: str
    sha256: Digest
    size: Bytes


def carried_files(lock: Lock, *, needs: str, path_of: Callable[[LockedPackage], str]) -> tuple[Carried, ...]:
    """Return the files of the repositories that the packages of the image are from, sorted by path.

    `needs` is the document that a client of the family needs, `path_of` says where it looks for a package below the
    repository. Raises OicError for a repository without such an index.
    """
    image = lock.sets["image"]
    found = {}
    for repository in lock.repositories:
        packages = [package for package in image if package.repository == repository.name]
        if not packages:
            continue
        base = f"{DIRECTORY}/{repository.name}"
        for document in _documents(lock, repository, needs):
            path = f"{base}/{_below(document, repository)}"
            found[path] = Carried(path=path, sha256=document.sha256, size=document.size)
        for package in packages:
            path = f"{base}/{path_of(package)}"
            if climbs(path):
                raise OicError(f"expected a path below its repository, found {package.location}", where=package.name)
            found[path] = Carried(path=path, sha256=package.sha256, size=package.size)
    return tuple(found[path] for path in sorted(found))


def _documents(lock: Lock, repository: LockedRepository, needs: str) -> tuple[LockedDocument, ...]:
    documents = lock.indexes.get(repository.name, ())
    if needs not in {document.name for document in documents}:
        found = "it is not signed" if repository.trusted else "the lock has not all of it"
        hint = "lock again, or leave iso.repository out"
        raise OicError(
            f"expected an index of the repository {repository.name} for the medium to carry, {found}", hint=hint
        )
    return documents


def _below(document: LockedDocument, repository: LockedRepository) -> str:
    base = f"{repository.url.rstrip('/')}/"
    path = unquote(document.url.removeprefix(base))
    if not document.url.startswith(base) or climbs(path):
        raise OicError(f"expected a file below {base}, found {document.url}", where=repository.name)
    return path
