"""Compare a lock's packages with the index that the lock names: repomd.xml, its signature and primary.

An unsigned index is compared too: it proves nothing about a package, but can show that the lock is wrong.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import solv

from oic.errors import TrustError
from oic.provider.compression import decompressed
from oic.provider.keys import locked_keyring
from oic.provider.openpgp import ExpiredError
from oic.provider.protocol import Listing
from oic.provider.rpm.entry import location_of
from oic.provider.rpm.markup import refuse_markup
from oic.provider.rpm.metadata import repomd_signers
from oic.provider.rpm.packages import PackageSource
from oic.provider.rpm.pool import Packages
from oic.provider.rpm.repomd import PRIMARY, ROOTS, parse_repomd

if TYPE_CHECKING:
    from oic.ospackage.lock import Lock, LockedPackage, LockedRepository
    from oic.ospackage.store import Store

_REPOMD, _SIGNATURE = "repomd.xml", "repomd.xml.asc"


def check_index(lock: Lock, repository: LockedRepository, store: Store) -> Listing | None:
    """Compare the lock with its index; see `oic.provider.protocol.Provider.check_index`."""
    documents = {entry.name: entry for entry in lock.indexes.get(repository.name, ())}
    names = (_REPOMD, PRIMARY, *((_SIGNATURE,) if repository.signers else ()))
    there = all(name in documents and store.has(documents[name].sha256) for name in names)
    if not there or not repository.keys:
        return None
    bodies = {name: store.read(documents[name].sha256) for name in names}
    where = f"{repository.url.rstrip('/')}/repodata/{_REPOMD}"
    signers: tuple[str, ...] = ()
    if repository.signers:
        try:
            with locked_keyring(repository, store) as ring:
                signers = repomd_signers(ring, {where: bodies[_REPOMD], f"{where}.asc": bodies[_SIGNATURE]}, where)
        except ExpiredError:
            return None
    file = parse_repomd(bodies[_REPOMD], where=where).files[PRIMARY]
    if hashlib.new(file.checksum.algorithm, bodies[PRIMARY]).hexdigest() != file.checksum.value:
        raise TrustError(f"expected {PRIMARY} as {_REPOMD} lists it, found another", where=documents[PRIMARY].url)
    plain = decompressed(bodies[PRIMARY], file.compression, file.plain_size, where=documents[PRIMARY].url)
    refuse_markup(plain, root=ROOTS[PRIMARY], where=documents[PRIMARY].url)
    listed = Packages([PackageSource(name=repository.name, primary=plain)], lock.asked.architecture)
    unlisted = {
        package.sha256: f"{package.name} {package.version} of sha256 {package.sha256}"
        for package in (one for packages in lock.sets.values() for one in packages)
        if package.repository == repository.name
        and not any(_is_same(package, found) for found in listed.by_name.get(package.name, ()))
    }
    return Listing(signers=signers, unlisted=unlisted)


def _is_same(package: LockedPackage, found: Any) -> bool:
    facts = (found.evr.removeprefix("0:"), found.arch, location_of(found))
    content = (found.lookup_num(solv.SOLVABLE_DOWNLOADSIZE), str(found.lookup_checksum(solv.SOLVABLE_CHECKSUM)))
    locked = (package.version, package.architecture, package.location)
    return (facts, content) == (locked, (package.size, f"sha256:{package.sha256}"))
