"""Creates signed repositories from packages: the directories that a mirror serves.

    PLACE/azurelinux/3.0/prod/base/x86_64/   Packages/<letter>/*.rpm, repodata/repomd.xml, .asc, .key
    PLACE/microvisor/rpms/3.0/base/          packages signed by another key, metadata not signed, no .asc

They are written to a temporary directory, which is renamed last. ``made.json`` has a digest of the inputs.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oic.errors import ToolError

from .build import built
from .catalogue import KEYS, read_catalogue
from .debian import debs
from .overlay import EPOCH
from .signing import signer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from .catalogue import Entry
    from .signing import Signer

OLD_STYLE = frozenset({"bc", "jq", "which"})
"""Packages that also have a signature of header and payload, as by rpm 4.14 and earlier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A distribution: its name, which is also its key's, the path of its repository, its metadata's compression."""

    name: str
    path: str
    compression: str
    signed_metadata: bool = True


DISTRIBUTIONS = (
    Distribution(name="azl3", path="azurelinux/3.0/prod/base/x86_64", compression="gz"),
    Distribution(name="emt3", path="microvisor/rpms/3.0/base", compression="xz", signed_metadata=False),
)


def make(place: Path, *, only: Sequence[str] = ()) -> None:
    """Update `place` if its inputs have changed; `only` are the names of packages, for a test."""
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _make(place, only)


def _make(place: Path, only: Sequence[str]) -> None:
    catalogue = read_catalogue()
    content = debs(catalogue.roots(), place)
    packages: dict[str, dict[Entry, Path]] = {}
    for distribution in DISTRIBUTIONS:
        entries = catalogue.complete(content, distribution.name)
        wanted = [entry for entry in entries if not only or entry.name in only]
        packages[distribution.name] = built(wanted, content, place / "packages")
    used = {file for of_one in packages.values() for file in of_one.values()}
    stamp = _stamp(used)
    if _made(place) == stamp:
        return
    aside = place / "tree.part"
    shutil.rmtree(aside, ignore_errors=True)
    for distribution in DISTRIBUTIONS:
        _publish(distribution, packages[distribution.name], aside / distribution.path)
    _forget(place / "packages", used)
    (aside / "made.json").write_text(json.dumps(stamp))
    tree = place / "tree"
    if tree.exists():
        old = place / "tree.old"
        shutil.rmtree(old, ignore_errors=True)
        tree.rename(old)
    aside.rename(tree)
    shutil.rmtree(place / "tree.old", ignore_errors=True)


def _stamp(packages: Collection[Path]) -> str:
    here = Path(__file__).parent
    code = [(here / name).read_bytes() for name in ("publish.py", "signing.py")]
    keys = [file.read_bytes() for file in sorted(KEYS.glob("*.asc"))]
    names = " ".join(sorted(file.name for file in packages))
    return hashlib.sha256(b"".join([*code, *keys, names.encode()])).hexdigest()


def _made(place: Path) -> str:
    try:
        return str(json.loads((place / "tree/made.json").read_text()))
    except (OSError, ValueError):
        return ""


def _publish(distribution: Distribution, packages: Mapping[Entry, Path], folder: Path) -> None:
    files = [_copied(entry, file, folder) for entry, file in packages.items()]
    times = _run(["rpm", "-qp", "--nosignature", "--qf", "%{BUILDTIME} ", *map(str, files)])
    revision = max(EPOCH, *map(int, times.split()))
    with signer(distribution.name, revision) as ours_to_sign:
        _sign(files, ours_to_sign)
        for file in files:
            os.utime(file, (revision, revision))
        _write_metadata(folder, revision, distribution.compression)
        if distribution.signed_metadata:
            ours_to_sign.sign_detached(folder / "repodata/repomd.xml")
    shutil.copyfile(KEYS / f"{distribution.name}.pub.asc", folder / "repodata/repomd.xml.key")


def _copied(entry: Entry, file: Path, folder: Path) -> Path:
    name = _run(["rpm", "-qp", "--nosignature", "--qf", "%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm", str(file)])
    copy = folder / "Packages" / entry.name[0].lower() / name
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, copy)
    return copy


def _sign(files: Sequence[Path], signed_by: Signer) -> None:
    old = [file for file in files if file.name.rpartition("-")[0].rpartition("-")[0] in OLD_STYLE]
    signed_by.sign_packages([file for file in files if file not in old])
    signed_by.sign_packages(old, old=True)


def _write_metadata(folder: Path, revision: int, compression: str) -> None:
    options = ["--quiet", "--workers", "2", "--no-database", "--simple-md-filenames", "--checksum", "sha256"]
    options += ["--general-compress-type", compression, "--revision", str(revision), "--set-timestamp-to-revision"]
    _run(["createrepo_c", *options, str(folder)])


def _forget(folder: Path, used: Collection[Path]) -> None:
    """Remove built packages that are no longer used."""
    for file in folder.glob("*.rpm"):
        if file not in used:
            file.unlink()


def _run(argv: Sequence[str]) -> str:
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C"}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"{argv[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
