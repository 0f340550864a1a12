"""Check that packages are what the lock says, and who signed them, before anything of them is used.

Each package must pass all of these checks:

* Size and sha256, and the name, epoch, version, release and architecture in the header, are those of the lock. So
  another package in its place is refused even if it is signed.
* It is signed, over the header or over header and payload, and each signature is by a key of its own repository (see
  `oic.provider.openpgp`). A package may be unsigned only if the recipe trusts its repository.
* A key may have expired since it signed the package (see `oic.provider.lapsed`) if verified metadata list the package.
* The header matches its digests, and the payload its digest in the header. Without a payload digest, a signature must
  cover the payload.
* The content of the payload is what the header lists. This is checked last.

rpm's MD5 of header and payload is not checked, because the lock's sha256 covers the same bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING

from oic.errors import TrustError, one_line
from oic.process import child
from oic.provider.keys import locked_keyring
from oic.provider.lapsed import package_signers
from oic.provider.protocol import Verdict
from oic.provider.rpm.contents import check_contents
from oic.provider.rpm.header import Rpm, read_rpm
from oic.provider.rpm.package import nevra_of
from oic.provider.rpm.signature import signatures_of
from oic.provider.rpm.tags import Sig, Tag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oic.ospackage.lock import Lock, LockedPackage, LockedRepository
    from oic.ospackage.store import Store
    from oic.provider.openpgp import Keyring

_JOBS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """A package's repository, a gpg with its keys (or None), and the lock file that alone claims its listing."""

    repository: LockedRepository
    ring: Keyring | None
    claimed_by: str = ""

    @property
    def words(self) -> str:
        """Where the sha256 of its packages comes from."""
        unsigned = not self.repository.signers and not self.repository.trusted
        found = f"{self.repository.name}, whose metadata nobody signed" if unsigned else self.repository.name
        return f"{found}{',' * unsigned} as {self.claimed_by} says" if self.claimed_by else found


def verify(
    lock: Lock, packages: Sequence[LockedPackage], store: Store, claimed_by: Mapping[str, str] | None = None
) -> dict[str, Verdict]:
    """Return the verdict on each package by name; raises TrustError with a line for every bad one.

    `claimed_by` is for packages whose listing could not be checked: the lock file that claims it, by sha256.
    """
    shares = child.shares(packages, [package.size for package in packages], _JOBS)
    verdicts: dict[str, Verdict | TrustError] = {}
    for part in child.call_all([(_check_share, (lock, share, store, claimed_by or {})) for share in shares]):
        verdicts |= part
    bad = [str(found) for package in packages if isinstance(found := verdicts[package.name], TrustError)]
    if bad:
        raise TrustError("\n".join(bad))
    return {name: found for name, found in verdicts.items() if isinstance(found, Verdict)}


def _check_share(
    lock: Lock, packages: Sequence[LockedPackage], store: Store, claimed_by: Mapping[str, str]
) -> dict[str, Verdict | TrustError]:
    wanted = {package.repository for package in packages}
    with contextlib.ExitStack() as rings:
        origins = {
            entry.name: _Origin(repository=entry, ring=rings.enter_context(_ring(entry, store)))
            for entry in lock.repositories
            if entry.name in wanted
        }
        return {
            package.name: _check(
                package, origins.get(package.repository), store, claimed_by=claimed_by.get(package.sha256, "")
            )
            for package in packages
        }


def _ring(repository: LockedRepository, store: Store) -> contextlib.AbstractContextManager[Keyring | None]:
    return locked_keyring(repository, store) if repository.keys else contextlib.nullcontext()


def _check(package: LockedPackage, origin: _Origin | None, store: Store, *, claimed_by: str) -> Verdict | TrustError:
    where = f"{package.name} {package.version}"
    if origin is None or not (origin.ring or origin.repository.trusted):
        return TrustError(f"expected a key of its repository, found none for {package.repository}", where=where)
    try:
        store.check(package.sha256, package.size)
        with store.path(package.sha256).open("rb") as file:
            return _verdict(file, package, replace(origin, claimed_by=claimed_by), where)
    except TrustError as error:
        return error if error.where == where else TrustError(str(error), where=where)


def _verdict(file: IO[bytes], package: LockedPackage, origin: _Origin, where: str) -> Verdict:
    rpm = read_rpm(file, where)
    _check_name(rpm, package, where)
    _check_header(rpm, where)
    whole = _check_payload(file, rpm, where)
    verdict = _signed(file, rpm, package, origin, whole=whole)
    check_contents(file, rpm)
    return verdict


def _signed(file: IO[bytes], rpm: Rpm, package: LockedPackage, origin: _Origin, *, whole: bool) -> Verdict:
    """Return who signed a package; `whole` says that the header has a good digest of the payload."""
    where = rpm.header.where
    signatures = signatures_of(rpm.signature) if origin.ring else ()
    if not signatures or origin.ring is None:
        if not origin.repository.trusted:
            raise TrustError(f"expected a signature by a key of {package.repository}, found none", where=where)
        words = f"unsigned: sha256 listed by {origin.words}, which the recipe trusts"
        return Verdict(signed=False, words=words)
    if not (whole or any(signature.over_payload for signature in signatures)):
        message = "expected a payload digest in the signed header or a signature over the payload, found neither"
        raise TrustError(message, where=where)
    signers: set[str] = set()
    lapses: set[str] = set()
    for signature in signatures:
        data = _rest(file, rpm) if signature.over_payload else rpm.header.signed
        found, lapsed = package_signers(origin.ring, data, signature.packet, where=where)
        signers |= found
        lapses |= lapsed
    if lapses:
        _expect_listed(origin, lapses, where)
    words = "; ".join([f"signed by {', '.join(sorted(signers))}", *sorted(lapses), f"listed by {origin.words}"])
    return Verdict(signed=True, words=words, remarks=tuple(sorted(lapses)))


def _expect_listed(origin: _Origin, lapses: set[str], where: str) -> None:
    """Refuse a signature by a key that has expired since, unless the index is verified: it may be backdated."""
    if origin.claimed_by or origin.repository.trusted:
        says = f"{origin.claimed_by} alone says" if origin.claimed_by else "nobody's signature says"
        message = f"expected an index that was verified, as {', '.join(sorted(lapses))}; found that {says} what"
        hint = "doit lock image=… makes the lock anew" if origin.claimed_by else None
        raise TrustError(f"{message} {origin.repository.name} lists", where=where, hint=hint)


def _rest(file: IO[bytes], rpm: Rpm) -> bytes:
    file.seek(rpm.header_offset)
    return file.read()


def _check_name(rpm: Rpm, package: LockedPackage, where: str) -> None:
    nevra = nevra_of(rpm.header)
    expected = (package.name, package.version, package.architecture)
    if (nevra.name, nevra.version, nevra.architecture) != expected:
        raise TrustError(f"expected the package {' '.join(expected)}, found {one_line(str(nevra))}", where=where)


def _check_header(rpm: Rpm, where: str) -> None:
    for tag, name in ((Sig.SHA256, "sha256"), (Sig.SHA1, "sha1")):
        expected = rpm.signature.string(tag)
        found = hashlib.new(name, rpm.header.signed, usedforsecurity=False).hexdigest()
        if expected and expected != found:
            raise TrustError(f"expected a header of {name} {one_line(expected)}, found {found}", where=where)


def _check_payload(file: IO[bytes], rpm: Rpm, where: str) -> bool:
    """Compare the compressed payload with its digest in the header; tell whether there is one."""
    if Tag.PAYLOAD_SHA256 not in rpm.header.entries:
        return False
    file.seek(rpm.payload_offset)
    digest = hashlib.sha256()
    while data := file.read(1 << 20):
        digest.update(data)
    expected = rpm.header.string(Tag.PAYLOAD_SHA256)
    if digest.hexdigest() != expected:
        message = f"expected a payload of sha256 {one_line(expected)}, found {digest.hexdigest()}"
        raise TrustError(message, where=where)
    return True
