"""A signed rpm repository in memory, published as a test wants it, with true signatures or false ones."""

from __future__ import annotations

import gzip
import hashlib
import random
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from oic.config.repository import Key, Repository
from oic.errors import TrustError
from oic.ospackage.indexed import RpmRepository
from oic.ospackage.store import Store
from oic.provider.protocol import Metadata, Previous
from oic.provider.rpm.metadata import read_metadata
from provider.deb.signed import MemoryMirror, Signer

from .repodata import COMPRESSED, write_repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

BASE = "memory://mirror/base"
REPOMD = f"{BASE}/repodata/repomd.xml"
NOW = datetime(2026, 1, 10, tzinfo=UTC)
PACKAGES = [
    "foo-1-1",
    {"nevra": "app-1-1", "requires": ["foo", "/usr/bin/tool"]},
    {"nevra": "tool-1-1", "files": ["/usr/bin/tool"]},
]
PATHS = [*PACKAGES, {"nevra": "far-1-1", "requires": ["/opt/far"]}, {"nevra": "there-1-1", "files": ["/opt/far"]}]


@pytest.fixture(scope="session")
def signers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Signer]]:
    # A short path: gpg-agent's socket lives in the keyring's directory.
    folder = tmp_path_factory.mktemp("k")
    made = {name: Signer(home=folder / name).make() for name in ("base", "second", "foreign")}
    made["expired"] = Signer(home=folder / "expired").make("2020-02-01", "--faked-system-time", "20200101T000000")
    yield made
    for signer in made.values():
        signer.close()


class Mirror(MemoryMirror):
    """A repository in memory, signed anew whenever its repomd.xml is changed by `change`."""

    folder: Path
    signer: Signer

    def publish_rpm(self, packages: Sequence[Any] = PACKAGES, *, base: str = BASE, **options: Any) -> None:
        place = self.folder / f"{len(self.documents)}-{random.random()}"
        write_repository(place, packages, **options)
        for file in (place / "repodata").iterdir():
            self.documents[f"{base}/repodata/{file.name}"] = file.read_bytes()
        self.sign(base)

    def sign(self, base: str = BASE, *words: str, signer: Signer | None = None) -> None:
        document = self.documents[f"{base}/repodata/repomd.xml"]
        signed = (signer or self.signer).gpg(*words, "--armor", "--detach-sign", data=document)
        self.documents[f"{base}/repodata/repomd.xml.asc"] = signed

    def change(self, old: str, new: str, *, count: int = 1) -> None:
        text = self.documents[REPOMD].decode()
        found = re.search(old, text)
        assert found, old
        self.documents[REPOMD] = re.sub(old, new, text, count=count).encode()
        self.sign()

    def change_primary(self, old: str, new: str, *, count: int = 1) -> None:
        text = gzip.decompress(self.documents[f"{BASE}/repodata/primary.xml.gz"]).decode()
        assert re.search(old, text), old
        self.replace_primary(re.sub(old, new, text, count=count).encode())

    def replace_primary(self, plain: bytes) -> None:
        """Publish another primary.xml, with all the checksums it needs."""
        body = COMPRESSED["gz"](plain)
        self.documents[f"{BASE}/repodata/primary.xml.gz"] = body
        values = [hashlib.sha256(body).hexdigest(), hashlib.sha256(plain).hexdigest(), len(body), len(plain)]
        text = self.documents[REPOMD].decode()
        head, tail = text.split('<data type="primary">')
        entry, _, rest = tail.partition("</data>")
        for pattern, value in zip(
            (r'"sha256">\w+</ch', r'"sha256">\w+</op', r"<size>\d+", r"open-size>\d+"), values, strict=True
        ):
            (found,) = re.findall(pattern, entry)
            entry = entry.replace(found, re.sub(r"(?<=>)\w+", str(value), found, count=1))
        self.documents[REPOMD] = f'{head}<data type="primary">{entry}</data>{rest}'.encode()
        self.sign()


@pytest.fixture
def mirror(signers: dict[str, Signer], tmp_path: Path) -> Mirror:
    made = Mirror()
    made.folder, made.signer = tmp_path / "made", signers["base"]
    made.publish_rpm()
    return made


@pytest.fixture
def key(signers: dict[str, Signer]) -> str:
    return str(signers["base"].home / "public.gpg")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def repository(*keys: str, url: str = BASE, **changes: Any) -> Repository:
    return Repository(name="base", url=url, keys=tuple(Key(source=key) for key in keys), **changes)


def read(mirror: MemoryMirror, store: Store, *keys: str, previous: Metadata | None = None, **changes: Any) -> Metadata:
    before = Previous(index=previous.index, answers=previous.answers) if previous else Previous()
    return read_metadata([repository(*keys, **changes)], "x86_64", mirror, store, before, now=NOW)


def read_one(mirror: MemoryMirror, store: Store, *keys: str, **changes: Any) -> RpmRepository:
    (entry,) = read(mirror, store, *keys, **changes).index.of(RpmRepository)
    return entry


def refused(message: str, mirror: Mirror, store: Store, *keys: str, **changes: Any) -> str:
    """It is refused as untrustworthy, in one line that says where."""
    with pytest.raises(TrustError, match=message) as caught:
        read(mirror, store, *keys, **changes)
    assert "\n" not in str(caught.value)
    assert caught.value.where
    return str(caught.value)
