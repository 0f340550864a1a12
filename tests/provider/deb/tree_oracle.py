"""A package set installed twice, by the rootfs stage and by mmdebstrap from the very same package files, and compared.

* mmdebstrap gets a flat repository on the disk with the locked versions and nothing else: its apt has no choice.
* Compared of each path: type, mode, owner, device, link target or content, hard links, extended attributes, and the
  time of what is not a directory. Times after the lowest layer's epoch count as that epoch: they are the build's.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import structs

from oic.chroot import layers, namespace, overlay, sandbox
from oic.chroot.tree import _OVERLAY_ATTRIBUTES, walk
from oic.config.final import load_config
from oic.files import read_json
from oic.handover.packages import Index
from oic.ospackage.indexed import DebRepository
from oic.ospackage.lock import LockedPackage, read_lock
from oic.ospackage.store import Store
from oic.plan import plan
from oic.process.run import ENVIRONMENT
from oic.provider.compression import decompressed
from oic.runs import chroot, download, metadata, rootfs, solve, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from oic.stage import Stage


# The links alone, as debootstrap makes them; mmdebstrap's own hook adds a package of its making.
_MERGE_USR = 'for d in bin lib lib64 sbin; do mkdir -p "$1/usr/$d"; ln -s "usr/$d" "$1/$d"; done'


# Its lines are in the order in which packages are unpacked, and mean the same in any: dpkg keeps them in a table.
_UNORDERED = {"var/lib/dpkg/triggers/File"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A set that the rootfs stage has installed: what is in it, its layers, and the text of each repository's index."""

    suite: str
    packages: tuple[LockedPackage, ...]
    layers: tuple[Path, ...]
    epochs: tuple[int, ...]
    store: Store
    index: str


def stages_of(recipe: Path, cache: Path) -> dict[str, Stage[Any]]:
    config = structs.replace(load_config(recipe, {}), lock=None)
    return {stage.name: stage for stage in plan(config, cache)}


def index_text(stage: Stage[Any]) -> str:
    """Return the Packages files of every repository, one after the other."""
    store = Store(stage.cache / "store")
    index = Index.from_text(stage.path(Index.FILE).read_text())
    return b"\n".join(
        decompressed(store.read(part.sha256), part.compression, part.plain_size, where="")
        for entry in index.of(DebRepository)
        for part in entry.packages
    ).decode()


def installed(recipe: Path, cache: Path, names: Callable[[str], Sequence[str]] | None = None) -> Installed:
    """Run the stages from metadata to rootfs for the recipe, or for the packages that `names` takes from the index."""
    stages = stages_of(recipe, cache)
    metadata.run(stages["metadata"])
    index = index_text(stages["metadata"])
    part = stages["solve"].slice
    if names:
        sets = {**part.request.sets, "image": structs.replace(part.request.sets["image"], names=tuple(names(index)))}
        part = structs.replace(part, request=structs.replace(part.request, sets=sets))
    solve.run(structs.replace(stages["solve"], slice=part))
    for stage in (download, verify, chroot, rootfs):
        name = stage.__name__.rpartition(".")[2]
        stages[name].log.parent.mkdir(exist_ok=True)
        stages[name].log.unlink(missing_ok=True)
        stage.run(stages[name])
    done = read_json(stages["rootfs"].path("rootfs.json"))
    return Installed(
        suite=done["repositories"][0]["suite"],
        packages=read_lock(read_json(stages["solve"].path("lock.json"))).sets["image"],
        layers=tuple(cache / layer["place"] / "tree" for layer in done["layers"]),
        epochs=tuple(layers.read(cache / layer["place"]).epoch for layer in done["layers"]),
        store=Store(cache / "store"),
        index=index,
    )


def required_names(index: str) -> list[str]:
    """Return what mmdebstrap's minbase is: Priority required, and apt."""
    stanzas = index.split("\n\n")
    names = [stanza.split("\n", 1)[0].split()[1] for stanza in stanzas if "\nPriority: required\n" in stanza]
    return sorted({*names, "apt"})


def mmdebstrapped(given: Installed, place: Path, variant: str) -> Path:
    """Have mmdebstrap install the same packages into ``place/root``."""
    repository = place / "repository"
    write_repository(given, repository)
    names = [package.name for package in given.packages]
    # In a mount namespace of its own: what it may leave mounted is gone with it.
    argv = ["nice", "-n", "5", "unshare", "--mount", "mmdebstrap", "--mode=root", f"--variant={variant}"]
    argv += ["--format=directory"]
    argv += [f"--customize-hook=cp \"$1/var/log/dpkg.log\" '{place}'"]  # in what order it was done
    argv += [f"--setup-hook={_MERGE_USR}", f"--include={','.join(names)}"]
    argv += [given.suite, str(place / "root"), f"deb [trusted=yes] copy://{repository} ./"]
    log = place / "mmdebstrap.log"
    with log.open("wb") as file:
        # The environment reaches maintainer scripts: PYTHONDONTWRITEBYTECODE, for one, shows in the tree.
        env = {**ENVIRONMENT, "SOURCE_DATE_EPOCH": str(given.epochs[-1]), "INITRD": "No"}
        done = subprocess.run(argv, stdout=file, stderr=file, env=env, check=False)
    if done.returncode:
        raise AssertionError(f"mmdebstrap failed, see {log}:\n{log.read_text(errors='replace')[-2000:]}")
    return place / "root"


def write_repository(given: Installed, repository: Path) -> None:
    """Write a flat repository, sources.list(5): Release, Packages, and links to the package files."""
    shutil.rmtree(repository, ignore_errors=True)
    repository.mkdir(parents=True)
    found = [(re.search(r"\nSHA256: (\w+)", stanza), stanza) for stanza in given.index.split("\n\n")]
    by_digest = {match[1]: stanza for match, stanza in found if match}
    stanzas = []
    for package in given.packages:
        name = f"{package.name}_{package.version.replace(':', '%3a')}_{package.architecture}.deb"
        (repository / name).symlink_to(given.store.path(package.sha256))
        stanzas.append(re.sub(r"\nFilename: .*", f"\nFilename: ./{name}", by_digest[package.sha256]).strip("\n"))
    packages = ("\n\n".join(stanzas) + "\n").encode()
    (repository / "Packages").write_bytes(packages)
    digest = hashlib.sha256(packages).hexdigest()
    facts = f"Suite: {given.suite}\nCodename: {given.suite}\nArchitectures: amd64\n"
    (repository / "Release").write_text(f"{facts}SHA256:\n {digest} {len(packages)} Packages\n")


def compared(given: Installed, other: Path, place: Path) -> tuple[dict[str, tuple[Any, Any]], int]:
    """Return each path that differs with both descriptions, the stage's first, and how many paths there are."""
    place.mkdir(parents=True, exist_ok=True)
    ours = namespace.call(_merged_entries, given.layers, place, min(given.epochs))
    theirs = namespace.call(entries, other, min(given.epochs))
    paths = {*ours, *theirs}
    pairs = {path: (ours.get(path), theirs.get(path)) for path in sorted(paths)}
    return {path: pair for path, pair in pairs.items() if pair[0] != pair[1]}, len(paths)


def _merged_entries(layers: Sequence[Path], place: Path, epoch: int) -> dict[str, Any]:
    with overlay.merged(layers, place) as root:
        return entries(root, epoch)


def dpkg_says(given: Installed, other: Path, place: Path) -> dict[str, tuple[str, str]]:
    """Return what ``dpkg --audit`` and ``dpkg --verify`` say inside of the stage's tree and of the other one."""
    return namespace.call(_dpkg_says, given.layers, other, place, writes=[place])


def _dpkg_says(stack: Sequence[Path], other: Path, place: Path) -> dict[str, tuple[str, str]]:
    ours, theirs = place / "ours", place / "theirs"
    for name in (ours, theirs):
        (name / "upper").mkdir(parents=True)
    with (
        overlay.merged(stack, ours / "root", upper=ours / "upper", work=ours / "work") as first,
        overlay.merged([other], theirs / "root", upper=theirs / "upper", work=theirs / "work") as second,
    ):
        answers = [_asked(root, place / "log") for root in (first, second)]
    return {question: (answers[0][question], answers[1][question]) for question in answers[0]}


def _asked(root: Path, log: Path) -> dict[str, str]:
    with sandbox.opened(root, log) as box:
        return {word: box.run(["sh", "-c", f"dpkg --{word} || true"]).text for word in ("audit", "verify")}


def entries(root: Path, epoch: int) -> dict[str, tuple[Any, ...]]:
    """Return what is compared of each path."""
    found: dict[str, list[Any]] = {}
    inodes: dict[tuple[int, int], list[str]] = defaultdict(list)
    for path, status in walk(root):
        found[path] = _description(root / path, path, status, epoch)
        if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
            inodes[status.st_dev, status.st_ino].append(path)
    for group in inodes.values():
        for path in group:
            found[path].append(("linked", *group))
    return {path: tuple(values) for path, values in found.items()}


def _description(file: Path, path: str, status: os.stat_result, epoch: int) -> list[Any]:
    mode = status.st_mode
    content = ""
    if stat.S_ISREG(mode):
        data = file.read_bytes()
        lines = sorted(data.splitlines(keepends=True)) if path in _UNORDERED else [data]
        content = hashlib.sha256(b"".join(lines)).hexdigest()
    elif stat.S_ISLNK(mode):
        content = os.readlink(file)
    attributes = [
        (name, os.getxattr(file, name, follow_symlinks=False))
        for name in sorted(os.listxattr(file, follow_symlinks=False))
        if name not in _OVERLAY_ATTRIBUTES and "overlay" not in name
    ]
    time = 0 if stat.S_ISDIR(mode) else min(int(status.st_mtime), epoch)
    return [stat.filemode(mode), status.st_uid, status.st_gid, status.st_rdev, content, attributes, time]
