"""Writes the content of a Debian package below a directory, with the paths of the rpm family.

* /bin, /sbin, /lib and /lib64 are moved below /usr, where links of ``filesystem`` lead, and /usr/lib64 to /usr/lib.
* Manual pages, translations and change logs are left out; the copyright file is kept.
* Owners and modes are recorded for the spec file, not set, so that rpmbuild does not need root.
"""

from __future__ import annotations

import fnmatch
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from oic.provider.deb.archive import read_deb, tar_of

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Iterator

    from oic.provider.deb.archive import Deb

    from .catalogue import Entry

_LEFT_OUT = (
    *("usr/share/man/*", "usr/share/info/*", "usr/share/locale/*", "usr/share/lintian/*", "usr/share/bug/*"),
    *("usr/share/doc-base/*", "usr/share/doc/*/*.gz", "usr/share/doc/*/*/*", "usr/share/gcc/*", "etc/init.d/*"),
    *("usr/share/apport/*", "usr/share/zsh/*", "usr/share/fish/*", "etc/apparmor.d/*", "usr/share/doc/*/NEWS*"),
    *("usr/share/doc/*/README*", "usr/share/doc/*/TODO*", "usr/share/doc/*/FAQ*", "etc/network/*"),
    "etc/dhcp/dhclient-*",
)
_MERGED = re.compile(r"(?:usr/)?(?:(bin|sbin|lib)(?=/|$)|(?:lib64|libx32|lib32)(?=/|$))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A path of a package; `kind` is file, directory, link or ghost."""

    path: str
    kind: str
    mode: int = 0o755
    owner: str = "root"
    group: str = "root"
    configuration: bool = False
    capabilities: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """The written content: items by path, the Debian control file, and the newest time."""

    items: dict[str, Item]
    control: bytes
    newest: int


def merged(path: str) -> str:
    """Return the path in a tree with merged /usr, in which 64-bit libraries are in /usr/lib."""
    path = path.removeprefix("./").strip("/")
    match = _MERGED.match(path)
    if not match:
        return path
    return f"usr/{match[1] or 'lib'}{path[match.end() :]}"


def write_deb(file: Path, entry: Entry, tree: Path) -> Payload:
    """Write those files of a Debian package that `entry` includes below `tree`."""
    with file.open("rb") as stream:
        deb = read_deb(stream, entry.deb)
        configuration = {merged(path) for path in _conffiles(deb)}
        items: dict[str, Item] = {}
        newest = 0
        with tar_of(stream, deb.data, entry.deb) as tar:
            for member in tar:
                path = merged(member.name)
                if path not in {"", ".", "usr"} and _is_taken(path, entry):
                    items[path] = _write(tar, member, path, tree)
                    newest = max(newest, int(member.mtime))
    for path in configuration & items.keys():
        items[path] = replace(items[path], configuration=True)
    return Payload(items=_without_empty(items), control=deb.control["control"].content, newest=newest)


def _conffiles(deb: Deb) -> Iterator[str]:
    if "conffiles" in deb.control:
        yield from (line.split()[-1] for line in deb.control["conffiles"].content.decode().splitlines() if line.strip())


def _is_taken(path: str, entry: Entry) -> bool:
    if any(fnmatch.fnmatchcase(path, pattern) for pattern in (*_LEFT_OUT, *entry.without)):
        return False
    return not entry.only or any(fnmatch.fnmatchcase(path, pattern) for pattern in entry.only)


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: str, tree: Path) -> Item:
    place = tree / path
    place.parent.mkdir(parents=True, exist_ok=True)
    owner, group = member.uname or "root", member.gname or "root"
    item = Item(path=path, kind="file", mode=member.mode & 0o7777, owner=owner, group=group)
    if member.isdir():
        place.mkdir(exist_ok=True)
        return replace(item, kind="directory")
    if member.issym():
        # an absolute target is a path of the image; a relative one may lead through a moved directory
        place.symlink_to(_target(member, path))
        return replace(item, kind="link")
    if member.islnk():
        os.link(tree / merged(member.linkname), place)
    elif member.isreg():
        reader = tar.extractfile(member)
        assert reader is not None
        place.write_bytes(reader.read())
        place.chmod(0o755 if member.mode & 0o111 else 0o644)
        os.utime(place, (member.mtime, member.mtime))
    else:
        raise AssertionError(f"{path}: a package with a device node")
    return item


def _target(member: tarfile.TarInfo, path: str) -> str:
    """Return the link's target; a relative one is changed if the link or its target has moved."""
    target = member.linkname
    if target.startswith("/"):
        return target
    old = os.path.normpath(os.path.join("/", os.path.dirname(member.name.removeprefix("./")), target)).lstrip("/")
    if old == merged(old) and merged(member.name) == member.name.removeprefix("./"):
        return target
    return os.path.relpath(merged(old), os.path.dirname(path))


def _without_empty(items: dict[str, Item]) -> dict[str, Item]:
    """Remove directories that contained only files that are left out."""
    needed = {path for path in items if path.startswith(("var/", "etc/", "run/")) or items[path].kind != "directory"}
    parents = {str(parent) for path in needed for parent in Path(path).parents}
    return {path: item for path, item in items.items() if path in needed or path in parents}
