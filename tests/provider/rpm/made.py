"""Packages made by rpmbuild and signed by rpmsign for a test, and what rpm itself says of them."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from ospackage.asked import NOTHING_ASKED

from oic.ospackage.lock import Lock, LockedKey, LockedPackage, LockedRepository
from oic.values import Bytes, Digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.ospackage.store import Store

    from .keys import Key

PAYLOADS = {
    "gzip": "w1.gzdio",
    "bzip2": "w1.bzdio",
    "lzma": "w1.lzdio",
    "xz": "w1.xzdio",
    "zstd": "w1.zstdio",
    "": "w.ufdio",
}
"""rpm's macro for a payload by the compressor that the header then names."""
SPEC = """\
Name: {name}
Version: {version}
Release: {release}
Epoch: {epoch}
Summary: made for a test
License: MIT
BuildArch: {architecture}
AutoReqProv: no
{tags}
%description
made for a test
%install
{install}
{scripts}
%files
{files}
"""
QUIET = {
    "_build_id_links": "none",
    "__os_install_post": "%{nil}",
    "debug_package": "%{nil}",
    "_build_name_fmt": "%%{NAME}.rpm",
    "use_source_date_epoch_as_buildtime": "1",
}


def needs_rpm() -> None:
    """Skip the test where there is no rpm to make packages with."""
    if shutil.which("rpmbuild") is None:
        pytest.skip("needs rpmbuild: apt-get install rpm")


@dataclass(frozen=True, kw_only=True)
class Made:
    """A package to make: `install` is shell in the build root, `files` the lines of ``%files``."""

    name: str = "small"
    version: str = "1.0"
    release: str = "1"
    epoch: int = 0
    architecture: str = "noarch"
    install: str = "mkdir -p %{buildroot}/usr/bin; echo hello >%{buildroot}/usr/bin/hello"
    files: str = "/usr/bin/hello"
    scripts: str = ""
    tags: str = ""
    payload: str = "w1.gzdio"
    define: dict[str, str] = field(default_factory=dict)

    def make(self, place: Path) -> Path:
        """Build it in `place`; return the package."""
        needs_rpm()
        place.mkdir(parents=True, exist_ok=True)
        spec = place / f"{self.name}.spec"
        words = {key: getattr(self, key) for key in ("name", "version", "release", "epoch", "architecture")}
        spec.write_text(
            SPEC.format(**words, tags=self.tags, install=self.install, files=self.files, scripts=self.scripts)
        )
        defines = {**QUIET, "_topdir": str(place / "top"), "_rpmdir": str(place), "_binary_payload": self.payload}
        argv = ["rpmbuild", "-bb", "--quiet", "--nodeps", "--target", f"{self.architecture}-linux"]
        for name, value in {**defines, **self.define}.items():
            argv += ["--define", f"{name} {value}"]
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "SOURCE_DATE_EPOCH": "1700000000", "HOME": str(place)}
        done = subprocess.run([*argv, str(spec)], capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        shutil.rmtree(place / "top")
        return place / f"{self.name}.rpm"


def header_of(file: Path, query: str) -> str:
    """Return what rpm reads of a package's header."""
    argv = ["rpm", "-qp", "--nosignature", "--nodigest", "--qf", query, str(file)]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def locked(file: Path, store: Store | None = None, **fields: object) -> LockedPackage:
    """Return a package as a lock has it, its bytes put in the store."""
    data = file.read_bytes()
    if store:
        store.add(data)
    facts = header_of(file, "%{NAME}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\t%{ARCH}").split("\t")
    values: dict[str, object] = {
        "name": facts[0],
        "version": facts[1].removeprefix("0:"),
        "architecture": facts[2],
        "repository": "base",
        "location": file.name,
        "url": f"file:///{file.name}",
        "size": Bytes(len(data)),
        "sha256": Digest(hashlib.sha256(data).hexdigest()),
        "essential": False,
        "requested": (),
        "requires": (),
    }
    return LockedPackage(**{**values, **fields})  # type: ignore[arg-type]


def lock_of(packages: Sequence[LockedPackage], *repositories: LockedRepository) -> Lock:
    return Lock(
        request=Digest("0" * 64), asked=NOTHING_ASKED, repositories=repositories, sets={"image": tuple(packages)}
    )


def repository(store: Store, *keys: Key, name: str = "base", trusted: bool = False) -> LockedRepository:
    """Return a repository whose packages these keys sign; the key files are put in the store."""
    files = [key.public() for key in keys]
    return LockedRepository(
        name=name,
        url="file:///base",
        suite="",
        components=(),
        signers=() if trusted else tuple(key.fingerprint for key in keys),
        keys=tuple(
            LockedKey(url=f"file:///key{number}", sha256=store.add(data), size=Bytes(len(data)))
            for number, data in enumerate(files)
        ),
        trusted=trusted,
    )
