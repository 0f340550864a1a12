"""The key files of the recipe's repositories, for the package manager of the image."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from oic.config.repositories import MOST_KEY
from oic.errors import OicError
from oic.files import read_regular
from oic.provider.keyfile import only

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from oic.ospackage.lock import LockedRepository
    from oic.ospackage.store import Store
    from oic.provider.protocol import Provider
    from oic.provider.told import ToldRepository


def read(
    told: Sequence[ToldRepository],
    provider: Provider,
    repositories: Sequence[LockedRepository],
    sources: Mapping[str, Path],
    store: Store,
) -> dict[str, bytes]:
    """Return the key files by path in the image; raises OicError for one of this host that changed.

    `sources` are the files of this host by URL; the others are in the store, under the digests that the lock has. A key
    that the server did not have is left out: the metadata stage has said so.
    """
    locked = {key.url: key.sha256 for entry in repositories for key in entry.keys}
    found = {}
    for one in told:
        for key, name in zip(one.keys, one.key_names(), strict=True):
            if key.sha256:
                body = read_regular(sources[key.url], MOST_KEY)
                if hashlib.sha256(body).hexdigest() != key.sha256:
                    raise OicError("the key file changed while the image was built", where=str(sources[key.url]))
            elif key.url in locked:
                body = store.read(locked[key.url])
            else:
                continue
            if key.fingerprints:
                body = only(body, key.fingerprints, key.url)
            found[provider.key_path(name)] = provider.key_file(body, where=key.url)
    return found


def write(root: Path, files: Mapping[str, bytes], beside: Sequence[str]) -> None:
    """Write the files below `root`, which is the root of this process.

    Nothing is written where none of the directories of the paths `beside` is there: the image has no package manager.
    """
    if not any((root / name[1:]).parent.is_dir() for name in beside):
        return
    for name, body in files.items():
        path = root / name[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(body)
        path.chmod(0o644)
