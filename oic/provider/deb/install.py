"""Install packages into a layer: unpack them in parallel, then let the tree's own dpkg configure them.

::

    sort ── quick ──> unpack in parallel ──> dpkg's database ──┐
        └── in order ──────────> dpkg --unpack, one by one <───┴──> dpkg --configure -a

* The first layer contains the bootstrap set. Nothing can run before all of it is unpacked, so its ``preinst`` scripts
  run after that, as with every tool that makes a Debian root.
* In later layers, dpkg itself unpacks a package *in order* if the order could change the tree: if the package has a
  ``preinst`` (which may divert files, or need its Pre-Depends), or shares a path with another package (Replaces).
* If unpacking finds further shared paths, the layer is emptied and dpkg unpacks everything in order. The tree is never
  silently different.
* Code that reads or writes the tree runs with the tree as its root, so links of packages and scripts lead nowhere else.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oic.chroot import overlay, sandbox
from oic.chroot.tree import Filled
from oic.errors import TrustError
from oic.process import child
from oic.provider.deb import database
from oic.provider.deb.archive import read_deb
from oic.provider.deb.order import steps
from oic.provider.deb.relation import parse_relations
from oic.provider.deb.unpack import conffile_names, merge_usr, unpack_all
from oic.provider.merged_usr import path_in_usr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oic.chroot.sandbox import Sandbox
    from oic.chroot.tree import Tree
    from oic.ospackage.lock import LockedPackage
    from oic.provider.deb.archive import ControlFile, Deb
    from oic.provider.deb.unpack import Unpacked

_DPKG = ("dpkg", "--force-unsafe-io", "--no-triggers")
_POLICY = "usr/sbin/policy-rc.d"
ENVIRONMENT = {
    "DEBIAN_FRONTEND": "noninteractive",
    "DEBCONF_NONINTERACTIVE_SEEN": "true",
    "DEBCONF_NOWARNINGS": "yes",
    "INITRD": "No",  # the initrd stage makes the initramfs, not the hooks of kernel packages
}


class ClashError(Exception):
    """Packages that were unpacked in parallel have the same path. No script has run yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Package:
    locked: LockedPackage
    file: Path
    deb: Deb


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """The tree before this layer: installed paths, paths with a diversion or statoverride, and triggers."""

    installed: frozenset[str]
    reserved: frozenset[str]
    interests: tuple[str, ...]


def install(packages: Sequence[tuple[LockedPackage, Path]], tree: Tree, *, may_fail: Sequence[str] = ()) -> Filled:
    """Install packages, given in install order, into a mounted tree; return their newest time.

    Raises ToolError when a maintainer script fails. `may_fail` has no effect, because dpkg lets no script fail.
    """
    del may_fail
    try:
        return fill(packages, tree)
    except ClashError as clash:
        if not tree.below:
            message = f"the bootstrap set cannot be unpacked, because no order of its packages is known: {clash}"
            raise TrustError(message) from clash
        with tree.log.open("a", encoding="utf-8") as log:
            log.write(f"{clash}: installing one package at a time\n")
    overlay.remount_empty(tree.below, tree.root, upper=tree.upper, work=tree.work / "overlay")
    return fill(packages, tree, in_order=True)


def fill(packages: Sequence[tuple[LockedPackage, Path]], tree: Tree, *, in_order: bool = False) -> Filled:
    """Install packages, unpacked in parallel where possible or all `in_order`; raises ClashError."""
    known = [_Package(locked=locked, file=file, deb=_read(file, locked.name)) for locked, file in packages]
    bootstrap = not tree.below
    before = child.inside(tree.root, _prepare, bootstrap)
    ordered = {package.locked.name for package in known} if in_order else _in_order(known, before, bootstrap)
    quick = [package for package in known if package.locked.name not in ordered]
    members = [(item.locked.name, item.file) for item in quick]
    unpacked = unpack_all(members, tree.root, below=tree.below, reserved=before.reserved)
    _refuse_clashes(unpacked)
    child.inside(tree.root, database.write_database, unpacked)
    epoch = _newest(known, tree.epoch)
    env = {**ENVIRONMENT, "SOURCE_DATE_EPOCH": str(epoch)}
    files = {_file_name(package): package.file for package in known if package.locked.name in ordered}
    with sandbox.opened(tree.root, tree.log, env=env, files=files) as box:
        policy = child.inside(tree.root, _forbid_services)
        if bootstrap:
            _run_preinsts(quick, box)
        for name in reversed(database.activated(unpacked, before.interests)):  # dpkg puts each new one first
            box.run(["dpkg-trigger", "--no-await", "--by-package=dpkg", name], capture=False)
        if not bootstrap or ordered:
            _unpack_in_order(ordered, known, box)
        box.run(["dpkg", "--force-unsafe-io", "--configure", "-a"], capture=False, check_log=True)
        child.inside(tree.root, _permit_services, policy)
    return Filled(epoch=epoch)


def _prepare(root: Path, bootstrap: bool) -> _Before:  # noqa: FBT001 - called through `child.inside`
    if bootstrap:
        merge_usr(root)
    return _Before(
        installed=frozenset(_installed_paths(root)),
        reserved=database.reserved_paths(root),
        interests=tuple(database.interests_of(root)),
    )


def _read(file: Path, name: str) -> Deb:
    with file.open("rb") as opened:
        return read_deb(opened, f"{name} ({file})")


def _newest(known: Sequence[_Package], floor: int) -> int:
    """Return the time of the newest package: that of its control files, which are its newest files."""
    return max([floor, *(file.time or 0 for package in known for file in package.deb.control.values())])


def _in_order(known: Sequence[_Package], before: _Before, bootstrap: bool) -> set[str]:  # noqa: FBT001
    """Return the names of the packages that dpkg itself must unpack, in order."""
    scripted = {package.locked.name for package in known if "preinst" in package.deb.control and not bootstrap}
    return scripted | _sharing_paths(known, before)


def _sharing_paths(known: Sequence[_Package], before: _Before) -> set[str]:
    """Return one of each two packages that list the same path: the one that replaces the other, or else the later."""
    reserved = {path_in_usr(path) for path in before.reserved}
    owner = dict.fromkeys(before.installed | reserved, "")
    found: set[str] = set()
    for package in known:
        for path in _listed_paths(package.deb):
            other = owner.setdefault(path, package.locked.name)
            if other != package.locked.name:
                found.add(_later_of(package, other, known))
    return found


def _later_of(package: _Package, other: str, known: Sequence[_Package]) -> str:
    earlier = next((item for item in known if item.locked.name == other), None)
    replaces = earlier.deb.fields.get("replaces", "") if earlier else ""
    clauses = parse_relations(replaces, package.locked.architecture)
    if any(relation.name == package.locked.name for clause in clauses for relation in clause):
        return other
    return package.locked.name


def _listed_paths(deb: Deb) -> list[str]:
    sums = deb.control["md5sums"].content.decode("utf-8", "surrogateescape") if "md5sums" in deb.control else ""
    files = ["/" + line.partition("  ")[2] for line in sums.splitlines()]
    return [path_in_usr(path) for path in [*files, *conffile_names(deb)]]


def _installed_paths(root: Path) -> set[str]:
    """Return the paths, without directories, of the packages in the database."""
    info = root / "var/lib/dpkg/info"
    lists = sorted(info.glob("*.list")) if info.is_dir() else []
    lines = (line for path in lists for line in path.read_text("utf-8", "surrogateescape").splitlines())
    paths = {path_in_usr(line) for line in lines if line not in ("", "/.")}
    parents = {path.rpartition("/")[0] for path in paths}
    return paths - parents


def _refuse_clashes(unpacked: Sequence[Unpacked]) -> None:
    clashes = [f"{path} of {item.name}" for item in unpacked for path in item.clashes]
    if clashes:
        raise ClashError(f"claimed twice: {', '.join(clashes[:5])}")


_FORBID = b"#!/bin/sh\nexit 101\n"


def _forbid_services(root: Path) -> str:
    """Forbid scripts to start services (invoke-rc.d(8)); return where a package's own policy file was moved, if any."""
    policy = root / _POLICY
    policy.parent.mkdir(parents=True, exist_ok=True)
    own = f"{policy}.of-its-package" if os.path.lexists(policy) else ""
    if own:
        policy.rename(own)
    policy.write_bytes(_FORBID)
    policy.chmod(0o755)
    return own


def _permit_services(root: Path, own: str) -> None:
    """Undo `_forbid_services`; a policy file that dpkg has unpacked since stays."""
    policy = root / _POLICY
    if policy.is_file() and not policy.is_symlink() and policy.read_bytes() == _FORBID:
        policy.unlink()
    if own and os.path.lexists(policy):
        Path(own).unlink(missing_ok=True)
    elif own:
        Path(own).rename(policy)


def _run_preinsts(packages: Sequence[_Package], box: Sandbox) -> None:
    """Run preinst scripts in the directory where dpkg runs them, with their control file, which debconf reads there."""
    scripted = [package for package in packages if "preinst" in package.deb.control]
    for package in scripted:
        child.inside(box.root, _place_control, package.deb.control)
        env = {
            "DPKG_MAINTSCRIPT_NAME": "preinst",
            "DPKG_MAINTSCRIPT_PACKAGE": package.deb.fields["package"],
            "DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT": "1",
            "DPKG_MAINTSCRIPT_ARCH": package.deb.fields["architecture"],
            "DPKG_RUNNING_VERSION": "1.21.0",
            "DPKG_ROOT": "",
            "DPKG_ADMINDIR": "/var/lib/dpkg",
        }
        title = f"preinst of {package.deb.fields['package']}"
        box.run([f"/{_CONTROL}/preinst", "install"], env=env, capture=False, check_log=True, title=title)
    if scripted:
        child.inside(box.root, _place_control, {})


_CONTROL = "var/lib/dpkg/tmp.ci"


def _place_control(root: Path, control: Mapping[str, ControlFile]) -> None:
    """Replace the directory of control files by those of one package; remove it when there are none."""
    place = root / _CONTROL
    if place.is_symlink() or place.is_file():
        place.unlink()
    elif place.exists():
        shutil.rmtree(place)
    if control:
        place.mkdir()
    for name, file in control.items():
        (place / name).write_bytes(file.content)
        (place / name).chmod(file.mode)


def _unpack_in_order(ordered: set[str], known: Sequence[_Package], box: Sandbox) -> None:
    """Let dpkg unpack the packages named `ordered`, and first configure their Pre-Depends, as apt does."""
    files = {package.locked.name: f"{sandbox.FILES}/{_file_name(package)}" for package in known}
    priorities = {package.locked.name: package.deb.fields.get("priority", "") for package in known}
    for action, names in steps([package.locked for package in known], priorities, ordered):
        words = [files[name] for name in names] if action == "--unpack" else names
        box.run([*_DPKG, action, *words], capture=False, check_log=True)


def _file_name(package: _Package) -> str:
    return f"{package.locked.name}_{package.locked.version.replace(':', '%3a')}.deb"
