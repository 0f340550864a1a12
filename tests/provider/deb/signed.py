"""A signed repository in memory that is its own fetcher: real keys, real gpg, no network."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from oic.config.repository import Key, Repository
from oic.errors import FetchError
from oic.ospackage.fetch import Fetched, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = datetime(2026, 1, 10, tzinfo=UTC)
BASE = "memory://mirror/debian/dists/stable"
PACKAGES = (
    b"""Package: foo
Version: 1
Architecture: amd64
Filename: pool/foo.deb
Size: 1
SHA256: """
    + b"00" * 32
    + b"\n"
)


@dataclass
class Signer:
    """A key made for the test, in a keyring of its own."""

    home: Path
    fingerprint: str = ""

    def gpg(self, *words: str, data: bytes = b"") -> bytes:
        argv = [
            "gpg",
            "--homedir",
            str(self.home),
            "--batch",
            "--yes",
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            "",
            *words,
        ]
        return subprocess.run(argv, input=data, capture_output=True, check=True).stdout

    def make(self, expire: str = "0", *words: str) -> Signer:
        self.home.mkdir(mode=0o700)
        self.gpg(
            *words, "--quick-gen-key", f"{self.home.name} <{self.home.name}@example.org>", "ed25519", "sign", expire
        )
        listing = self.gpg("--with-colons", "--list-keys").decode()
        self.fingerprint = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr"))
        (self.home / "public.gpg").write_bytes(self.gpg("--export"))
        return self

    def close(self) -> None:
        subprocess.run(
            ["gpgconf", "--homedir", str(self.home), "--kill", "gpg-agent"], check=False, capture_output=True
        )


def clear_sign(text: bytes, *signers: Signer, words: tuple[str, ...] = ()) -> bytes:
    """Sign with each: as archives do, all secret keys in one keyring."""
    first = signers[0]
    for other in signers[1:]:
        first.gpg("--import", data=other.gpg("--export-secret-keys"))
    users = [word for signer in signers for word in ("-u", signer.fingerprint)]
    return first.gpg(*words, *users, "--clear-sign", data=text)


@dataclass
class MemoryMirror:
    """Documents by URL; `asked` records what was fetched, `sent` what had a body."""

    documents: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def fetch(self, url: str, *, limit: int, etag: str = "", last_modified: str = "") -> Fetched:  # noqa: ARG002
        self.asked.append(url)
        if url not in self.documents:
            raise NotFound("expected a document, found none", where=url)
        body = self.documents[url]
        tag = hashlib.sha256(body).hexdigest()
        if etag == tag:
            return Fetched(url=url, body=None, etag=tag, last_modified="")
        if len(body) > limit:
            raise FetchError(f"expected at most {limit} bytes, found more", where=url)
        self.sent.append(url)
        return Fetched(url=url, body=body, etag=tag, last_modified="")

    def fetch_file(self, url: str, file: Path, *, size: int, report: Callable[[int], None]) -> None:
        raise AssertionError(url, file, size, report)

    def publish(self, signer: Signer, *more: Signer, packages: bytes = PACKAGES, **fields: Any) -> None:
        """Make a whole repository of one Packages file."""
        text = release_text(packages, **fields)
        self.documents[f"{BASE}/InRelease"] = clear_sign(text, signer, *more)
        for kind, data in compressed(packages).items():
            folder, name = f"{BASE}/main/binary-amd64", f"Packages{kind}"
            self.documents[f"{folder}/{name}"] = data
            self.documents[f"{folder}/by-hash/SHA256/{hashlib.sha256(data).hexdigest()}"] = data


def compressed(packages: bytes) -> dict[str, bytes]:
    return {"": packages, ".gz": gzip.compress(packages, mtime=0), ".xz": lzma.compress(packages)}


def release_text(packages: bytes = PACKAGES, *, kinds: tuple[str, ...] = ("", ".gz", ".xz"), **fields: str) -> bytes:
    values = {
        "Suite": "stable",
        "Codename": "bookworm",
        "Date": format_datetime(NOW - timedelta(days=1)),
        "Valid-Until": format_datetime(NOW + timedelta(days=6)),
        "Acquire-By-Hash": "yes",
        "Architectures": "amd64",
        "Components": "main",
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    lines = [f"{name}: {value}" for name, value in values.items() if value]
    lines.append("SHA256:")
    for kind, data in compressed(packages).items():
        if kind in kinds:
            lines.append(f" {hashlib.sha256(data).hexdigest()} {len(data)} main/binary-amd64/Packages{kind}")
    return ("\n".join(lines) + "\n").encode()


def repository(*keys: Path | str, **changes: object) -> Repository:
    values: dict[str, object] = {
        "name": "main",
        "url": "memory://mirror/debian",
        "suite": "stable",
        "components": ("main",),
        "keys": tuple(Key(source=str(key)) for key in keys),
        **changes,
    }
    return Repository(**values)  # type: ignore[arg-type]
