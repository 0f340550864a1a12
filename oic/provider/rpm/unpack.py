"""Unpack rpms into an empty root to make the build environment, several packages at a time.

* `oic.provider.rpm.placement` decides from the headers where files go. No path is written twice, so the order of the
  processes does not matter.
* The unpacking processes change root first, so no path and no symbolic link of a package leads out of the tree.
* The size and digest of each file are compared with the header.
* The result only provides programs: no scriptlet runs, there is no rpm database, and all files belong to root.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from oic.errors import TrustError
from oic.process import child
from oic.process.host import is_host_failure, while_doing
from oic.provider.rpm.contents import checked, contents_of
from oic.provider.rpm.header import read_rpm
from oic.provider.rpm.package import files_of
from oic.provider.rpm.placement import Placement, placement_of
from oic.provider.rpm.tags import Tag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from oic.ospackage.lock import LockedPackage
    from oic.provider.rpm.header import Rpm
    from oic.provider.rpm.package import File
    from oic.provider.rpm.payload import Member


@dataclass(frozen=True, slots=True, kw_only=True)
class _Package:
    """A package to unpack: its `path`, its headers, and where its files go."""

    path: Path
    rpm: Rpm
    files: tuple[File, ...]
    places: Mapping[str, str]


def unpack(packages: Sequence[tuple[LockedPackage, Path]], root: Path, *, jobs: int = 2) -> int:
    """Unpack packages into an empty `root` in `jobs` processes; return the newest build time of a package.

    Raises TrustError for content that no package may have, and for packages with different files at the same path.
    """
    read = [_read(path, f"{package.name} {package.version}") for package, path in packages]
    lists = [files_of(rpm.header) for rpm in read]
    placement = placement_of([(rpm.header.where, files) for rpm, files in zip(read, lists, strict=True)])
    waiting = [
        _Package(path=path.absolute(), rpm=rpm, files=files, places=places)
        for (_, path), rpm, files, places in zip(packages, read, lists, placement.places, strict=True)
    ]
    child.call_all([(_make_frame, (root, placement))])
    shares = child.shares(waiting, [rpm.size for rpm in read], jobs)
    child.call_all([(_put_share, (share, root)) for share in shares])
    child.call_all([(_settle_directories, (root, placement))])
    return max((rpm.header.number(Tag.BUILD_TIME, 0) for rpm in read), default=0)


def _read(path: Path, where: str) -> Rpm:
    with path.open("rb") as file:
        return read_rpm(file, where)


def _enter(root: Path) -> None:
    os.umask(0)
    os.chroot(root)
    os.chdir("/")


def _make_frame(root: Path, placement: Placement) -> None:
    """Make all directories, still writable, and the links that no package contains."""
    _enter(root)
    for path in placement.directories:
        if path != "/":
            os.mkdir(path, 0o755)
    for path, target in placement.links.items():
        os.symlink(target, path)


def _settle_directories(root: Path, placement: Placement) -> None:
    _enter(root)
    for path, mode in placement.directories.items():
        os.chmod(path, mode)


def _put_share(packages: Sequence[_Package], root: Path) -> None:
    outside = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    files = [os.path.realpath(package.path) for package in packages]
    _enter(root)
    for package, path in zip(packages, files, strict=True):
        opened = os.open(path.lstrip("/"), os.O_RDONLY | os.O_CLOEXEC, dir_fd=outside)
        with open(opened, "rb") as file, while_doing(f"unpacking {package.rpm.header.where}"):
            _put_package(package, file)


def _put_package(package: _Package, file: IO[bytes]) -> None:
    for member in contents_of(file, package.rpm, package.files):
        try:
            _put(member, package)
        except OSError as error:
            if is_host_failure(error):
                raise
            message = f"{member.file.path!r} cannot be unpacked: {error.strerror}"
            raise TrustError(message, where=package.rpm.header.where) from error


def _put(member: Member, package: _Package) -> None:
    file, places = member.file, package.places
    kind = stat.S_IFMT(file.mode)
    if kind == stat.S_IFREG:
        _put_file(member, [places[name.path] for name in member.names if name.path in places], package.rpm)
        return
    for _ in checked(member, package.rpm):
        pass
    if file.path not in places:
        return
    path = places[file.path]
    if kind == stat.S_IFLNK:
        os.symlink(file.link, path)
    else:
        os.mkfifo(path, stat.S_IMODE(file.mode))
    os.utime(path, (file.mtime, file.mtime), follow_symlinks=False)


def _put_file(member: Member, paths: Sequence[str], rpm: Rpm) -> None:
    """Write a file under its first name and link it to the others; without a name, only check its content."""
    if not paths:
        for _ in checked(member, rpm):
            pass
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(paths[0], flags, 0o600), "wb") as target:
        target.writelines(checked(member, rpm))
        target.flush()
        os.fchmod(target.fileno(), stat.S_IMODE(member.file.mode))
    os.utime(paths[0], (member.file.mtime, member.file.mtime))
    for path in paths[1:]:
        os.link(paths[0], path)
