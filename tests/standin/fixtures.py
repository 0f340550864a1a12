"""Session fixtures of the stand-ins, which create them if necessary and serve them over TLS, with their keys.

A test module imports them: ``from standin.fixtures import standin``, or ``elxr``.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from .__main__ import default_place
from .catalogue import KEYS
from .elxr import serving_elxr
from .publish import DISTRIBUTIONS, make
from .serve import Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Standin:
    """The served distributions: base URLs and directories by name, the CA to trust, public keys by name."""

    urls: Mapping[str, str]
    folders: Mapping[str, Path]
    keys: Mapping[str, Path]
    ca: Path


@pytest.fixture(scope="session")
def standin() -> Iterator[Standin]:
    """Create and serve the stand-in of the rpm distributions."""
    for program, package in (("rpmbuild", "rpm"), ("createrepo_c", "createrepo-c"), ("openssl", "openssl")):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}: install {package}")
    place = default_place()
    make(place)
    with serving(place / "tree") as served:
        yield Standin(
            urls={distribution.name: f"{served.url}/{distribution.path}" for distribution in DISTRIBUTIONS},
            folders={distribution.name: served.tree / distribution.path for distribution in DISTRIBUTIONS},
            keys={name: KEYS / f"{name}.pub.asc" for name in ("azl3", "emt3", "foreign")},
            ca=served.ca,
        )


@pytest.fixture(scope="session")
def elxr() -> Iterator[Served]:
    """Create and serve the stand-in of eLxr."""
    for program in ("dpkg-deb", "gpg", "openssl"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}: install dpkg, gnupg, openssl")
    with serving_elxr(default_place() / "elxr") as served:
        yield served
