"""The roots that every way starts from, the helper, and an ordinary user: made once a session."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from e2e.conftest import (
    bench,
    distributions,
    keys,
    packages,
    rpm_bench,
    rpms,
    signers,
    tiny,
    tiny_rpms,
    tls,
)
from images.ordinary_user import ordinary_user

from .attacks import ATTACKS
from .ways import Roots, compiled, make_roots

if TYPE_CHECKING:
    import pwd
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["bench", "distributions", "keys", "packages", "rpm_bench", "rpms", "signers", "tiny", "tiny_rpms", "tls"]
_NEEDED = ("gcc", "dpkg-deb", "rpm", "rpmbuild")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [name for name in _NEEDED if not shutil.which(name)]
    why = f"needs {', '.join(missing)}" if missing else "the stand-in of the machine needs root" if os.geteuid() else ""
    for item in items:
        if why and "hostile" in item.path.parts:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    place = tmp_path_factory.mktemp("hostile")
    place.chmod(0o755)  # an ordinary user reads it as well
    scripts = [*(attack.script for attack in ATTACKS), "call keyctl + setxattr"]
    return make_roots(place, compiled(place, scripts))


@pytest.fixture(scope="session")
def user() -> Iterator[pwd.struct_passwd]:
    with ordinary_user("oic-hostile") as made:
        yield made


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return a directory that an ordinary user could reach."""
    place = tmp_path / "work"
    place.mkdir()
    return place
