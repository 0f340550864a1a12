"""What a medium carries of the repositories of its image."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from ospackage.asked import NOTHING_ASKED

from oic.errors import OicError
from oic.ospackage.locked import Lock, LockedDocument, LockedPackage, LockedRepository
from oic.provider import provider_of
from oic.values import Bytes, Digest

BASE = "https://a.invalid/debian"


def package(name: str, location: str, repository: str = "base") -> LockedPackage:
    return LockedPackage(
        name=name,
        version="1",
        architecture="all",
        repository=repository,
        location=location,
        url=f"{BASE}/{location}",
        size=Bytes(3),
        sha256=Digest(name * 64),
        essential=False,
        requested=(),
        requires=(),
    )


def locked(*packages: LockedPackage, documents: tuple[tuple[str, str], ...]) -> Lock:
    repositories = tuple(
        LockedRepository(
            name=name, url=f"{BASE}/", suite="s", components=(), signers=("A" * 40,), keys=(), trusted=False
        )
        for name in ("base", "unused")
    )
    return Lock(
        request=Digest("0" * 64),
        asked=NOTHING_ASKED,
        repositories=repositories,
        sets={"image": packages, "tools": (package("c", "pool/tool.deb"),)},
        indexes={
            "base": tuple(
                LockedDocument(name=name, url=url, sha256=Digest("d" * 64), size=Bytes(1)) for name, url in documents
            )
        },
    )


DEBS = (("InRelease", f"{BASE}/dists/s/InRelease"), ("Packages", f"{BASE}/dists/s/main/binary-amd64/by-hash/SHA256/0"))


def test_a_medium_carries_what_the_image_has_and_the_indexes_of_that() -> None:
    found = provider_of("deb").carried(locked(package("a", "pool/a%3a1+b.deb"), documents=DEBS))
    assert [(file.path, file.sha256[0], file.size) for file in found] == [
        ("cache-repo/base/dists/s/InRelease", "d", 1),
        ("cache-repo/base/dists/s/main/binary-amd64/by-hash/SHA256/0", "d", 1),
        ("cache-repo/base/pool/a%3a1+b.deb", "a", 3),
    ]
    rpms = (("repomd.xml", f"{BASE}/repodata/repomd.xml"), ("filelists", f"{BASE}/repodata/filelists.xml.gz"))
    found = provider_of("rpm").carried(locked(package("a", "Packages/a%2b1.rpm"), documents=rpms))
    assert found[0].path == "cache-repo/base/Packages/a+1.rpm"


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        (locked(package("a", "a.deb"), documents=()), "the repository base for the medium to carry, .* not all of it"),
        (locked(package("a", "a.deb"), documents=DEBS[:1]), "not all of it"),
        (locked(package("a", "a.deb"), documents=(("Packages", "https://b.invalid/P"),)), "expected a file below"),
        (locked(package("a", "a.deb"), documents=(("Packages", f"{BASE}/x/%2e%2e/P"),)), "expected a file below"),
        (locked(package("a", "../a.deb"), documents=DEBS), "expected a path below its repository"),
    ],
)
def test_a_medium_carries_no_repository_without_an_index_and_no_path_out_of_one(lock: Lock, said: str) -> None:
    with pytest.raises(OicError, match=said):
        provider_of("deb").carried(lock)


def test_a_repository_that_nobody_signs_is_not_carried() -> None:
    lock = locked(package("a", "a.deb"), documents=())
    unsigned = tuple(replace(entry, trusted=True, signers=()) for entry in lock.repositories)
    with pytest.raises(OicError, match="it is not signed"):
        provider_of("deb").carried(replace(lock, repositories=unsigned))
