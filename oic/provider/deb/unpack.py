"""Unpack packages into a root directory, several at a time, as dpkg does for a first installation.

* The unpacking processes change root first, so no path and no symbolic link of a package leads out of the tree.
* A directory that exists, also behind a symbolic link, is kept; the first package in the order sets its owner and mode.
  Any other path belongs to one package. A second package with that path is a clash, which the caller resolves; so is a
  path with a diversion or a statoverride.
* Nothing of a package is executed here.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from oic.errors import TrustError
from oic.process import child
from oic.process.host import is_host_failure, while_doing
from oic.progress import doing
from oic.provider import merged_usr
from oic.provider.deb.archive import ControlFile, Deb, entries_of, read_deb, tar_of

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Sequence
    from pathlib import Path

_BUFFER = 1 << 20
_MAX_DEPTH = 200
"""Nested directories. With more, the recursive walks of later stages could exhaust the stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Mode and owner of a directory, as a package has it."""

    mode: int
    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What one package put into the tree: `paths` in the archive's order (``/usr/bin/env``), and its `clashes`."""

    name: str
    control: dict[str, ControlFile]
    paths: tuple[str, ...]
    directories: dict[str, Directory]
    conffiles: dict[str, str]
    clashes: tuple[str, ...]
    newest: int


@dataclass(slots=True)
class _Work:
    paths: list[str] = field(default_factory=list)
    directories: dict[str, Directory] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)
    clashes: list[str] = field(default_factory=list)
    newest: int = 0


def merge_usr(root: Path) -> None:
    """Make the directories of /usr, and the links to them, that packages of a merged /usr expect."""
    for link, target in merged_usr.LINKS.items():
        (root / target).mkdir(parents=True, exist_ok=True)
        (root / link[1:]).symlink_to(target)


def unpack_all(
    packages: Sequence[tuple[str, Path]],
    root: Path,
    *,
    below: Sequence[Path] = (),
    reserved: frozenset[str] = frozenset(),
    jobs: int = 2,
) -> list[Unpacked]:
    """Unpack (name, file) pairs into `root` in `jobs` processes; the results are in the order given.

    Each process keeps that order. With one process, a path belongs to the first package that has it. `below` are the
    layers under `root`: directories in them keep their owner and mode. A path in `reserved` is a clash.
    """
    if not packages:
        return []
    parts = child.shares(packages, [file.stat().st_size for _, file in packages], jobs)
    done = child.call_all([(_unpack_share, (part, root, reserved)) for part in parts])
    found = {unpacked.name: unpacked for group in done for unpacked in group}
    ordered = [found[name] for name, _ in packages]
    _settle_directories(ordered, root, below)
    return ordered


def _unpack_share(packages: Sequence[tuple[str, Path]], root: Path, reserved: frozenset[str]) -> list[Unpacked]:
    files = [(name, f"{name} ({path})", path.open("rb")) for name, path in packages]
    os.umask(0)
    os.chroot(root)
    os.chdir("/")
    unpacked = []
    for name, where, file in files:
        doing(f"unpacking {name}")
        with while_doing(f"unpacking {name}"):
            unpacked.append(unpack(name, file, where, reserved))
    return unpacked


def unpack(name: str, file: IO[bytes], where: str, reserved: frozenset[str] = frozenset()) -> Unpacked:
    """Unpack one package into this process's root; raises TrustError for content that no package may have."""
    deb = read_deb(file, where)
    work = _Work()
    conffiles = conffile_names(deb)
    hashed = None if "md5sums" not in deb.control else set(conffiles)
    with tar_of(file, deb.data, where) as tar:
        for entry in entries_of(tar, where):
            path = _checked_path(entry, where)
            work.paths.append(path or "/.")
            work.newest = max(work.newest, int(entry.mtime))
            if path in reserved and not entry.isdir():
                work.clashes.append(path)
            elif path:
                _put(tar, entry, path, work, hashed, where)
    return Unpacked(
        name=name,
        control=deb.control if hashed is not None else {**deb.control, "md5sums": _md5sums_file(work.sums)},
        paths=tuple(work.paths),
        directories=work.directories,
        conffiles={path: work.sums[path] for path in conffiles if path in work.sums},
        clashes=tuple(work.clashes),
        newest=work.newest,
    )


def _md5sums_file(sums: dict[str, str]) -> ControlFile:
    """Return the md5sums file that dpkg generates for a package without one."""
    lines = "".join(f"{md5}  {path[1:]}\n" for path, md5 in sums.items())
    return ControlFile(content=lines.encode("utf-8", "surrogateescape"), mode=0o644)


def conffile_names(deb: Deb) -> list[str]:
    """Return the paths of a package's conffiles (deb-conffiles(5)), without those to be removed on upgrade."""
    content = deb.control.get("conffiles", ControlFile(content=b"", mode=0)).content.decode("utf-8", "surrogateescape")
    return [line.strip() for line in content.splitlines() if line.strip().startswith("/")]


def _checked_path(entry: tarfile.TarInfo, where: str) -> str:
    name = entry.name.removeprefix("./").rstrip("/")
    if name in ("", "."):
        return ""
    if name.startswith("/") or ".." in name.split("/"):
        raise TrustError(f"expected a path below the root, found {entry.name!r} in the package", where=where)
    if name.count("/") > _MAX_DEPTH:
        found = f"{name.count('/')} at {name[:40]!r}"
        raise TrustError(f"expected at most {_MAX_DEPTH} directories in each other, found {found}", where=where)
    if "\n" in name:  # as dpkg does, because its database has one path per line
        raise TrustError(f"expected a path of one line, found {entry.name!r} in the package", where=where)
    return "/" + name


def _put(  # noqa: PLR0913 - an entry and its context
    tar: tarfile.TarFile, entry: tarfile.TarInfo, path: str, work: _Work, hashed: set[str] | None, where: str
) -> None:
    try:
        if entry.isdir():
            _make_directory(path, entry)
            wanted = Directory(mode=stat.S_IMODE(entry.mode), uid=entry.uid, gid=entry.gid)
            work.directories[os.path.realpath(path)] = wanted
            return
        _make_parents(path)
        _put_other(tar, entry, path, work, hashed)
    except FileExistsError:
        # In Debian 13, base-files contains the links of the merged /usr, which are made first.
        if path in merged_usr.LINKS and entry.issym() and os.path.islink(path) and os.readlink(path) == entry.linkname:
            os.utime(path, (entry.mtime, entry.mtime), follow_symlinks=False)
        else:
            work.clashes.append(path)
    except OSError as error:
        if is_host_failure(error):
            raise
        if error.errno != errno.ENOTDIR:
            raise TrustError(f"{path} cannot be unpacked: {error.strerror}", where=where) from error
        work.clashes.append(path)
    except (OverflowError, ValueError) as error:
        raise TrustError(f"{path} cannot be unpacked: {error}", where=where) from error


def _put_other(tar: tarfile.TarFile, entry: tarfile.TarInfo, path: str, work: _Work, hashed: set[str] | None) -> None:
    if entry.issym():
        os.symlink(entry.linkname, path)
        os.lchown(path, entry.uid, entry.gid)
    elif entry.islnk():
        target = "/" + entry.linkname.removeprefix("./").lstrip("/")
        os.link(target, path, follow_symlinks=False)
        if target in work.sums:
            work.sums[path] = work.sums[target]
        return
    elif entry.isreg():
        md5 = _write_file(tar, entry, path, hashed=hashed is None or path in hashed)
        if md5:
            work.sums[path] = md5
    elif entry.isfifo():
        os.mkfifo(path, stat.S_IMODE(entry.mode))
        os.chown(path, entry.uid, entry.gid)
    else:
        raise TrustError("expected files, directories and links, found a device node", where=path)
    os.utime(path, (entry.mtime, entry.mtime), follow_symlinks=False)


def _make_directory(path: str, entry: tarfile.TarInfo) -> None:
    if os.path.isdir(path):
        return
    _make_parents(path)
    try:
        os.mkdir(path, stat.S_IMODE(entry.mode))
    except FileExistsError:
        if not os.path.isdir(path):
            raise
        return
    os.chown(path, entry.uid, entry.gid)
    os.chmod(path, stat.S_IMODE(entry.mode))


def _make_parents(path: str) -> None:
    parent = os.path.dirname(path)
    if not os.path.isdir(parent):
        os.makedirs(parent, 0o755, exist_ok=True)


def _write_file(tar: tarfile.TarFile, entry: tarfile.TarInfo, path: str, *, hashed: bool) -> str:
    reader = tar.extractfile(entry)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:  # buffered, because an unbuffered write can be partial
        digest = hashlib.md5(usedforsecurity=False)  # the digest that dpkg records
        while reader and (data := reader.read(_BUFFER)):
            if hashed:
                digest.update(data)
            file.write(data)
        file.flush()  # before fchmod: writing clears set-user-id bits
        os.fchown(descriptor, entry.uid, entry.gid)
        os.fchmod(descriptor, stat.S_IMODE(entry.mode))
    return digest.hexdigest() if hashed else ""


def _settle_directories(ordered: Sequence[Unpacked], root: Path, below: Sequence[Path]) -> None:
    """Set owner and mode of directories on which packages disagree: those of the first package in the order."""
    first: dict[str, Directory] = {}
    disputed: set[str] = set()
    for unpacked in ordered:
        for path, wanted in unpacked.directories.items():
            if first.setdefault(path, wanted) != wanted:
                disputed.add(path)
    for layer in below if disputed else ():
        disputed -= child.inside(layer, _present, disputed)
    if disputed:
        child.inside(root, _set_directories, {path: first[path] for path in disputed})


def _present(_root: Path, paths: set[str]) -> set[str]:
    return {path for path in paths if os.path.lexists(path)}


def _set_directories(_root: Path, wanted: dict[str, Directory]) -> None:
    for path, directory in wanted.items():
        os.chown(path, directory.uid, directory.gid)
        os.chmod(path, directory.mode)
