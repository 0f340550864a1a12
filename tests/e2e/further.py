"""Further repositories of debs beside the tiny one, on the same mirror: suites with components, and flat ones."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
from email.utils import format_datetime
from typing import TYPE_CHECKING

from provider.deb.signed import clear_sign

from .tiny import Package, Tiny

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from provider.deb.signed import Signer


def make_package(place: Path, name: str, version: str, more: str = "", *, architecture: str = "amd64") -> Package:
    """Build a package with one file, which tells its version."""
    tree = place / f"{name}_{version}"
    (tree / "DEBIAN").mkdir(parents=True)
    control = f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: nobody\n{more}".rstrip()
    (tree / "DEBIAN/control").write_text(f"{control}\nDescription: {name}\n")
    (tree / "usr/share" / name).mkdir(parents=True)
    (tree / "usr/share" / name / "content").write_text(f"{name} {version} {place.name}\n")
    file = place / f"{name}_{version}_{architecture}.deb"
    argv = ["dpkg-deb", "-Zgzip", "--root-owner-group", "--build", str(tree), str(file)]
    subprocess.run(argv, check=True, capture_output=True)
    return Package(file=file.name, data=file.read_bytes(), control=control)


def serve_suite(
    tiny: Tiny, base: str, suite: str, components: Mapping[str, Sequence[Package]], signer: Signer, **fields: str
) -> str:
    """Serve a suite with a list for each component; return the URL of the repository."""
    files = {}
    for component, packages in components.items():
        plain = _listed(packages, f"pool/{component}/")
        files[f"{component}/binary-amd64/Packages"] = plain  # without its digest, apt takes no compressed one
        files[f"{component}/binary-amd64/Packages.gz"] = gzip.compress(plain, mtime=0)
        for package in packages:
            tiny.serve(f"{base}/pool/{component}/{package.file}", package.data)
    directory = f"{base}/dists/{suite}"
    values = {"Suite": suite, "Codename": suite, "Components": " ".join(components), **fields}
    _serve_release(tiny, directory, files, signer, values)
    return tiny.mirror.url(base)


def serve_flat(tiny: Tiny, base: str, packages: Sequence[Package], signer: Signer | None) -> str:
    """Serve a flat repository, without a Release file unless somebody signs it; return its URL."""
    packed = gzip.compress(_listed(packages, "./"), mtime=0)
    for package in packages:
        tiny.serve(f"{base}/{package.file}", package.data)
    if signer:
        _serve_release(tiny, base, {"Packages.gz": packed}, signer, {})
    else:
        tiny.serve(f"{base}/Packages.gz", packed)
    return tiny.mirror.url(base)


def _listed(packages: Sequence[Package], folder: str) -> bytes:
    stanzas = [
        f"{package.control}\nFilename: {folder}{package.file}\nSize: {len(package.data)}\n"
        f"SHA256: {hashlib.sha256(package.data).hexdigest()}\n"
        for package in packages
    ]
    return "\n".join(stanzas).encode()


def _serve_release(
    tiny: Tiny, directory: str, files: Mapping[str, bytes], signer: Signer, fields: Mapping[str, str]
) -> None:
    lines = [f"{name}: {value}" for name, value in {"Date": format_datetime(tiny.now), **fields}.items()]
    lines.append("SHA256:")
    for path, body in files.items():
        lines.append(f" {hashlib.sha256(body).hexdigest()} {len(body)} {path}")
        tiny.serve(f"{directory}/{path}", body)
    tiny.serve(f"{directory}/InRelease", clear_sign("\n".join([*lines, ""]).encode(), signer))
