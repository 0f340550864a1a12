"""Which keys may sign a repository: those of the key files that its recipe or distribution names.

* Where fingerprints are given for a key file, only those keys of it count, wherever the file came from.
* A key file of this host, such as the keyring of its apt, is trusted: all its keys count.
* A key from a URL without a fingerprint is accepted the first time, only by https, and with a note. From then on the
  signers are remembered, and any other signer is refused until the user accepts new keys.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from oic.config.repositories import MOST_KEY
from oic.errors import TrustError
from oic.files import read_regular
from oic.ospackage.fetch import NotFound
from oic.ospackage.indexed import IndexedKey
from oic.progress import note
from oic.provider.documents import refuse_web_page
from oic.provider.openpgp import keyring
from oic.values import Bytes, Value

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Mapping, Sequence

    from oic.config.repository import Key, Repository
    from oic.ospackage.fetch import Fetcher
    from oic.ospackage.lock import LockedRepository
    from oic.ospackage.origin import KnownSigners
    from oic.ospackage.store import Store
    from oic.provider.openpgp import Keyring

NEW_KEYS = "doit update image=… keys=new takes its new keys, once you know that they are right"


class KeyFile(Value):
    """A key file and its content."""

    key: Key
    body: bytes


def read_keys(repository: Repository, fetcher: Fetcher) -> tuple[KeyFile, ...]:
    """Return the key files that exist: several may be named, because the path of a keyring differs between hosts.

    A URL that does not exist gets a note, because signatures by its key will then be by an unknown one. Raises
    TrustError for a key that comes by http without a fingerprint: anybody on the network could have replaced it.
    """
    found = []
    missing = []
    for key in repository.keys:
        if key.path:
            if Path(key.path).is_file():
                found.append(KeyFile(key=key, body=read_file(key)))
            continue
        if key.source.startswith("http://") and not key.fingerprints:
            hint = "give it with its fingerprint: {key: URL, fingerprint: …}"
            raise TrustError("expected a key by https, or its fingerprint, found http alone", where=key.url, hint=hint)
        try:
            body = fetcher.fetch(key.url, limit=MOST_KEY).body or b""
        except NotFound as error:
            missing.append(error)
        else:
            refuse_web_page(key.url, body)
            found.append(KeyFile(key=key, body=body))
    if not found:
        raise missing[0] if len(repository.keys) == len(missing) == 1 else _no_key(repository)
    for absent in missing:
        note(f"this key of {repository.name} is skipped: {absent}")
    return tuple(found)


def read_file(key: Key) -> bytes:
    """Return a key file of this host; raises TrustError."""
    try:
        return read_regular(Path(key.path), MOST_KEY)
    except OSError as error:
        raise TrustError(f"cannot read the key file: {error.strerror}", where=key.source) from error


def keyring_of(files: Sequence[KeyFile]) -> contextlib.AbstractContextManager[Keyring]:
    """Return a keyring of the keys that count in these files."""
    return keyring({file.key.url: file.body for file in files}, {file.key.url: file.key.fingerprints for file in files})


def locked_keyring(repository: LockedRepository, store: Store) -> contextlib.AbstractContextManager[Keyring]:
    """Return a keyring of the keys that the lock names for a repository; their files are in the store."""
    files = {key.url: store.read(key.sha256) for key in repository.keys}
    return keyring(files, {key.url: key.fingerprints for key in repository.keys})


def known_keys(
    name: str, files: Sequence[KeyFile], ring: Keyring, signers: Sequence[str], memory: KnownSigners
) -> dict[str, tuple[str, ...]]:
    """Return the keys to remember, by URL.

    `memory` are those remembered last time. Raises TrustError when somebody else signs the repository now.
    """
    known = {}
    for file in files:
        url, found = file.key.url, ring.counted[file.key.url]
        before = memory.keys.get(url)
        if before is None or file.key.path or file.key.fingerprints:
            known[url] = found
            continue
        known[url] = tuple(one for one in found if one in before)
    older = () if memory.keys else memory.signers
    trusted = {file.key.url for file in files if _is_trusted(file.key)}
    remembered = {one for url, found in known.items() if not older or url in trusted for one in found} | set(older)
    if strange := sorted(set(signers) - remembered):
        expected = ", ".join(sorted(remembered or memory.signers))
        message = f"expected signatures by the keys known from last time, {expected}, found one by {', '.join(strange)}"
        raise TrustError(message, where=name, hint=NEW_KEYS)
    for url, counted in known.items():
        if more := sorted(set(ring.counted[url]) - set(counted)):
            note(f"{url} has another key, {', '.join(more)}, which does not count: {NEW_KEYS}")
    return known


def _is_trusted(key: Key) -> bool:
    """Tell whether the key is known independently of the mirror: by a fingerprint, or as a file of this host."""
    return bool(key.path or key.fingerprints)


def indexed_keys(
    files: Sequence[KeyFile], known: Mapping[str, tuple[str, ...]], store: Store
) -> tuple[IndexedKey, ...]:
    """Store the key files; return their entries for the index."""
    return tuple(
        IndexedKey(
            url=file.key.url,
            sha256=store.add(file.body),
            size=Bytes(len(file.body)),
            fingerprints=known[file.key.url],
            vouched=_is_trusted(file.key),
        )
        for file in files
    )


def _no_key(repository: Repository) -> TrustError:
    looked = ", ".join(key.source for key in repository.keys) or "nothing: the repository names no key"
    remote = any(not key.path for key in repository.keys)
    hint = "are the URLs right?" if remote else "install the distribution's keyring package"
    return TrustError(f"expected a key file, found none of {looked}", where=repository.name, hint=hint)
