"""The content-addressed store: blobs named by their sha256, shared by all images and processes.

    <root>/sha256/ab/abcd…   verified bytes, read-only
    <root>/partial/abcd…     downloads in progress; one writer at a time, kept when interrupted

* A blob gets its final name after it was verified: it is written under a temporary name, hashed, then renamed.
* Two processes may add the same blob: the rename is atomic, and the bytes are the same.
* Nothing is synced to disk. After a power cut a blob may be damaged; `read` and the verify stage hash it again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from typing import TYPE_CHECKING

from oic.errors import OicError, TrustError
from oic.files import atomic_file, digest_of_file
from oic.ospackage.blobs import blob_path
from oic.process.host import disk_errors
from oic.values import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Store:
    """Blobs below `root`, a directory that is created with the first one."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, digest: Digest) -> Path:
        """Return the path of a blob, whether or not it exists."""
        return self.root / blob_path(digest)

    def has(self, digest: Digest) -> bool:
        """Tell whether a blob exists, without checking its content."""
        return self.path(digest).is_file()

    def add(self, data: bytes) -> Digest:
        """Store bytes under their digest; raises OicError when they cannot be written."""
        digest = Digest(hashlib.sha256(data).hexdigest())
        path = self.path(digest)
        if not self.has(digest):
            with disk_errors(path), atomic_file(path) as temporary:
                temporary.write_bytes(data)
            path.chmod(0o444)
        return digest

    def adopt(self, file: Path, digest: Digest, size: int) -> None:
        """Move a complete file of this file system into the store; deletes it and raises TrustError if it is wrong."""
        with disk_errors(file):
            found_size, found = file.stat().st_size, digest_of_file(file)
            if (found_size, found) != (size, digest):
                file.unlink()
                expected = f"expected sha256 {digest} of {size} bytes"
                raise TrustError(f"{expected}, found {found} of {found_size} bytes", where=str(file))
            file.chmod(0o444)
            final = self.path(digest)
            final.parent.mkdir(parents=True, exist_ok=True)
            file.replace(final)

    def check(self, digest: Digest, size: int) -> None:
        """Hash a blob again; removes it and raises TrustError if its content does not match its name."""
        path = self.path(digest)
        with disk_errors(path):
            found = digest_of_file(path) if path.exists() else "nothing"
            if found != digest or path.stat().st_size != size:
                path.unlink(missing_ok=True)
                message = f"expected sha256 {digest} and {size} bytes, found {found}"
                raise TrustError(message, where=str(path), hint="it was removed; build again to download it")

    def read(self, digest: Digest) -> bytes:
        """Return a blob after hashing it again; a damaged one is removed and raises TrustError."""
        path = self.path(digest)
        with disk_errors(path):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                hint = "it was deleted: run the build again"
                raise OicError("expected a blob in the store, found none", where=str(path), hint=hint) from None
            found = hashlib.sha256(data).hexdigest()
            if found != digest:
                path.unlink(missing_ok=True)
                hint = "the damaged file was removed: run the build again"
                raise TrustError(f"expected sha256 {digest}, found {found}", where=str(path), hint=hint)
        return data

    @contextlib.contextmanager
    def partial(self, digest: Digest) -> Iterator[Path]:
        """Yield the partial file of a blob, locked; its content stays for the next attempt.

        Waits for another writer, which may have completed the blob: check that with `has` inside.
        """
        path = self.root / "partial" / digest
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = _locked(path)
        try:
            yield path
        finally:
            if _is_at(descriptor, path) and os.fstat(descriptor).st_size == 0:
                path.unlink()
            os.close(descriptor)


def _locked(path: Path) -> int:
    """Open and lock a file; open it again if another writer has renamed it meanwhile."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_at(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    """Tell whether an open file still has this name, or another writer has created a new file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
