"""Repositories of a vendor: packages made for a test under the names that a recipe asks for, signed by a test key.

* A package has no content but a line that says so. A kernel is the distribution's own under another name and version,
  so that an image boots it.
* The files are made by dpkg-deb and rpmbuild, the lists by dpkg-deb and createrepo_c.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

from .build import built
from .catalogue import KEYS, Entry, read_catalogue
from .debian import debs
from .release import release_text, write_release
from .signing import signer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

KEY = "foreign"
"""The test key of every vendor."""

TEXT = "Made for a test, under the name that a recipe asks for."
_OTHERS = re.compile(
    r"^(?:Package|Version|Source|Provides|Suggests|Recommends|Breaks|Conflicts|Replaces):.*\n(?: .*\n)*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A package to make; a `kernel` can be booted, and `requires` are relations of rpms."""

    name: str
    version: str
    kernel: bool = False
    requires: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def make_debs(packages: Iterable[Made], folder: Path, kernel: Path | None) -> dict[Made, Path]:
    """Write the file of each package into a folder; `kernel` is the package that has the distribution's kernel."""
    return {package: _deb(package, folder, kernel if package.kernel else None) for package in packages}


def _deb(package: Made, folder: Path, kernel: Path | None) -> Path:
    tree = folder / f"{package.name}.tree"
    tree.parent.mkdir(parents=True, exist_ok=True)
    fields = f"Package: {package.name}\nVersion: {package.version}\n"
    if kernel:
        subprocess.run(["dpkg-deb", "-R", kernel, tree], check=True, capture_output=True)
        control = tree / "DEBIAN/control"
        control.write_text(fields + re.sub(_OTHERS.pattern, "", control.read_text(), flags=re.MULTILINE))
    else:
        said = tree / "usr/share/doc" / package.name / "README.standin"
        said.parent.mkdir(parents=True)
        said.write_text(f"{TEXT}\n")
        (tree / "DEBIAN").mkdir()
        more = f"Architecture: amd64\nMaintainer: nobody <nobody@stand-in.invalid>\nDescription: {TEXT}\n"
        (tree / "DEBIAN/control").write_text(fields + more)
    for path in (tree, *tree.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    file = folder / f"{package.name}_{package.version.replace(':', '%3a')}_amd64.deb"
    argv = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(tree), str(file)]
    subprocess.run(argv, check=True, capture_output=True)
    shutil.rmtree(tree)
    return file


def publish_suite(base: Path, suite: str, components: Mapping[str, Sequence[Path]]) -> None:
    """Write a suite of a deb repository; one that ends with a slash is a flat one, of all the packages."""
    folder = base / suite if suite.endswith("/") else base / "dists" / suite
    fields = {"Suite": suite, "Codename": suite, "Components": " ".join(components)}
    lists = []
    for component, files in components.items():
        pool = folder if suite.endswith("/") else base / "pool" / component
        path = "Packages.gz" if suite.endswith("/") else f"{component}/binary-amd64/Packages.gz"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        below = pool.relative_to(base)
        (folder / path).write_bytes(gzip.compress(stanzas(files, pool, str(below) if below.parts else "."), mtime=0))
        lists.append(path)
    now = datetime.now(UTC)
    values = {**fields, "Date": format_datetime(now, usegmt=True), "Architectures": "amd64"}
    write_release(folder, release_text(folder, values, lists), KEY, int(now.timestamp()))


def stanzas(files: Iterable[Path], pool: Path, below: str) -> bytes:
    """Put package files into a pool; return their stanzas, in which the pool is `below` the repository."""
    pool.mkdir(parents=True, exist_ok=True)
    found = []
    for file in files:
        shutil.copyfile(file, pool / file.name)
        control = subprocess.run(["dpkg-deb", "-f", file], check=True, capture_output=True, text=True).stdout
        data = file.read_bytes()
        where = f"Filename: {below}/{file.name}\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n"
        found.append(f"{control.rstrip()}\n{where}\n")
    return "".join(found).encode()


def make_rpms(packages: Iterable[Made], folder: Path, distribution: str, standin: Path) -> dict[Made, Path]:
    """Write the unsigned file of each package into a folder; kernels are those of a distribution of the stand-in."""
    entries = {package: _entry(package, distribution, standin) for package in packages}
    content = debs(read_catalogue().roots(), standin) if any(package.kernel for package in packages) else {}
    files = built(list(entries.values()), content, folder / "built")
    made = {}
    for package, entry in entries.items():
        made[package] = folder / f"{package.name}-{entry.version}-{entry.release}.x86_64.rpm"
        shutil.copyfile(files[entry], made[package])
    return made


def _entry(package: Made, distribution: str, standin: Path) -> Entry:
    version, _, release = package.version.partition("-")
    if not package.kernel:
        return Entry(name=package.name, version=version, release=release or "1", requires=package.requires, why=TEXT)
    catalogue = read_catalogue()
    own = catalogue.complete(debs(catalogue.roots(), standin), distribution)
    kernel = next(entry for entry in own if entry.name == "kernel")
    return replace(kernel, name=package.name, version=version, release=release or "1", dist="")


def publish_rpms(folder: Path, files: Iterable[Path], key: str = KEY, *, signed_metadata: bool = True) -> None:
    """Sign packages into a repository that exists or not, and write its metadata anew."""
    copies = [folder / "Packages" / file.name for file in files]
    (folder / "Packages").mkdir(parents=True, exist_ok=True)
    for file, copy in zip(files, copies, strict=True):
        shutil.copyfile(file, copy)
    now = int(datetime.now(UTC).timestamp())
    options = ["--quiet", "--no-database", "--simple-md-filenames", "--checksum", "sha256", "--revision", str(now)]
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    with signer(key, now) as ours:
        ours.sign_packages(copies)
        shutil.rmtree(folder / "repodata", ignore_errors=True)
        subprocess.run(["createrepo_c", *options, str(folder)], env=env, check=True, capture_output=True)
        if signed_metadata:
            ours.sign_detached(folder / "repodata/repomd.xml")
    shutil.copyfile(KEYS / f"{key}.pub.asc", folder / "repodata/repomd.xml.key")
