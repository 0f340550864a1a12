"""The tiny distributions of ``tests/e2e`` in the hands of an attacker, and roots to attack from inside."""

from __future__ import annotations

import os
import shutil
import ssl
from typing import TYPE_CHECKING

import pytest
from e2e.bench import Bench
from e2e.conftest import bench, distributions, keys, packages, rpm_bench, rpms, signers, tiny, tiny_rpms, tls
from e2e.tiny import Tiny
from e2e.tiny_rpm import TinyRpm
from images.ordinary_user import ordinary_user
from net.mirror import Mirror

from .attacks import ATTACKS
from .ways import Roots, compiled, make_roots

if TYPE_CHECKING:
    import pwd
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.tiny import Package
    from provider.deb.signed import Signer
    from provider.rpm.keys import Key

__all__ = ["bench", "distributions", "keys", "packages", "rpm_bench", "rpms", "signers", "tiny", "tiny_rpms", "tls"]
_NEEDED = ("gcc", "dpkg-deb", "rpm", "rpmbuild")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [name for name in _NEEDED if not shutil.which(name)]
    why = f"needs {', '.join(missing)}" if missing else "the stand-in of the machine needs root" if os.geteuid() else ""
    for item in items:
        if why and "roots" in getattr(item, "fixturenames", ()):
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


@pytest.fixture
def tls_tiny(packages: dict[str, Package], signers: dict[str, Signer], tls: Path) -> Iterator[Tiny]:
    """The deb repository, served over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls / "server.crt", tls / "server.key")
    with Mirror(context) as mirror:
        repository = Tiny(mirror=mirror, packages=packages, signer=signers["archive"])
        repository.publish()
        yield repository


@pytest.fixture
def tls_bench(tmp_path: Path, distributions: Path, tls_tiny: Tiny, tls: Path) -> Bench:
    made = Bench(place=tmp_path, distributions=distributions, mirror=tls_tiny.url)
    made.environment["OIC_CA"] = str(tls / "ca.crt")
    return made


@pytest.fixture
def plain_rpms(rpms: dict[str, bytes], keys: dict[str, Key], tmp_path: Path) -> Iterator[TinyRpm]:
    """The rpm repository over plain http: who is on the way may change all of it."""
    with Mirror() as mirror:
        repository = TinyRpm(mirror=mirror, packages=rpms, key=keys["own"], place=tmp_path / "plain")
        repository.publish()
        yield repository


@pytest.fixture
def resigned(rpms: dict[str, bytes], keys: dict[str, Key], tmp_path: Path) -> dict[str, bytes]:
    """The same rpms, each signed by a foreign key in place of its own."""
    found = {}
    for name, data in rpms.items():
        file = tmp_path / f"{name}.foreign.rpm"
        file.write_bytes(data)
        found[name] = keys["foreign"].sign(file).read_bytes()
    return found
