"""Packages installed into a layer: unpacked in parallel, then configured by the target's own dpkg.

::

    sort ── quick ──> unpack in parallel ──> dpkg's database ──┐
        └── in order ──────────> dpkg --unpack, one by one <───┴──> dpkg --configure -a

* The first layer holds the bootstrap set: nothing can run before all of it is unpacked, so its ``preinst`` scripts run
  after that (as they do with every tool that makes a Debian root).
* Above it, a package goes *in order* through dpkg itself when the order could show in the tree: it has a ``preinst``
  (which may divert, or need what it Pre-Depends on), or shares a path with another package (Replaces).
* Paths shared unannounced are found while unpacking: then the layer is emptied and everything goes in order. Never a
  silently different tree.
* Whatever here reads or writes the tree does so from inside it: links of packages and of earlier scripts lead nowhere
  else.
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
    "INITRD": "No",  # hooks of kernel packages leave the initramfs to its own stage
}


class ClashError(Exception):
    """Packages unpacked in parallel claim the same paths: nothing has been run yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Package:
    locked: LockedPackage
    file: Path
    deb: Deb


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """What a tree has before the layer: paths of packages, paths that are diverted or overridden, and triggers."""

    installed: frozenset[str]
    reserved: frozenset[str]
    interests: tuple[str, ...]


def install(packages: Sequence[tuple[LockedPackage, Path]], tree: Tree, *, may_fail: Sequence[str] = ()) -> Filled:
    """Install packages (in install order) into a mounted tree; return the newest time of a file in them.

    dpkg lets no script fail: `may_fail` changes nothing. Raises ToolError when a maintainer script fails.
    """
    del may_fail
    try:
        return fill(packages, tree)
    except ClashError as clash:
        if not tree.below:
            message = f"the bootstrap set cannot be unpacked, as nothing orders its packages: {clash}"
            raise TrustError(message) from clash
        with tree.log.open("a", encoding="utf-8") as log:
            log.write(f"{clash}: installing one package at a time\n")
    overlay.mount_anew(tree.below, tree.root, upper=tree.upper, work=tree.work / "overlay")
    return fill(packages, tree, in_order=True)


def fill(packages: Sequence[tuple[LockedPackage, Path]], tree: Tree, *, in_order: bool = False) -> Filled:
    """Install packages quickly, or all of them `in_order`; raises ClashError when they have to be."""
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
        for name in reversed(database.activated(unpacked, before.interests)):  # dpkg puts each before those it knows of
            box.run(["dpkg-trigger", "--no-await", "--by-package=dpkg", name], capture=False)
        if not bootstrap or ordered:
            _unpack_in_order(ordered, known, box)
        box.run(["dpkg", "--force-unsafe-io", "--configure", "-a"], capture=False, check_log=True)
        child.inside(tree.root, _permit_services, policy)
    return Filled(epoch=epoch)


def _prepare(root: Path, bootstrap: bool) -> _Before:  # noqa: FBT001 - called by way of `child.inside`
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
    """Return when the newest package was made: its control files' time, which dpkg-deb lets no file of it pass."""
    return max([floor, *(file.time or 0 for package in known for file in package.deb.control.values())])


def _in_order(known: Sequence[_Package], before: _Before, bootstrap: bool) -> set[str]:  # noqa: FBT001
    """Return the names of the packages that dpkg must unpack itself."""
    scripted = {package.locked.name for package in known if "preinst" in package.deb.control and not bootstrap}
    return scripted | _sharing(known, before)


def _sharing(known: Sequence[_Package], before: _Before) -> set[str]:
    """Return, of packages that announce the same path, those that replace the other, or else the later one."""
    reserved = {path_in_usr(path) for path in before.reserved}
    owner = dict.fromkeys(before.installed | reserved, "")
    found: set[str] = set()
    for package in known:
        for path in _announced(package.deb):
            other = owner.setdefault(path, package.locked.name)
            if other != package.locked.name:
                found.add(_yielding(package, other, known))
    return found


def _yielding(package: _Package, other: str, known: Sequence[_Package]) -> str:
    earlier = next((item for item in known if item.locked.name == other), None)
    replaces = earlier.deb.fields.get("replaces", "") if earlier else ""
    clauses = parse_relations(replaces, package.locked.architecture)
    if any(relation.name == package.locked.name for clause in clauses for relation in clause):
        return other
    return package.locked.name


def _announced(deb: Deb) -> list[str]:
    sums = deb.control["md5sums"].content.decode("utf-8", "surrogateescape") if "md5sums" in deb.control else ""
    files = ["/" + line.partition("  ")[2] for line in sums.splitlines()]
    return [path_in_usr(path) for path in [*files, *conffile_names(deb)]]


def _installed_paths(root: Path) -> set[str]:
    """Return the non-directories that packages already in the database own."""
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
    """Have no script start a service, invoke-rc.d(8); return where a package's own policy, if any, is meanwhile."""
    policy = root / _POLICY
    policy.parent.mkdir(parents=True, exist_ok=True)
    own = f"{policy}.of-its-package" if os.path.lexists(policy) else ""
    if own:
        policy.rename(own)
    policy.write_bytes(_FORBID)
    policy.chmod(0o755)
    return own


def _permit_services(root: Path, own: str) -> None:
    """Undo `_forbid_services`; a policy that dpkg has unpacked in the meantime stays."""
    policy = root / _POLICY
    if policy.is_file() and not policy.is_symlink() and policy.read_bytes() == _FORBID:
        policy.unlink()
    if own and os.path.lexists(policy):
        Path(own).unlink(missing_ok=True)
    elif own:
        Path(own).rename(policy)


def _run_preinsts(packages: Sequence[_Package], box: Sandbox) -> None:
    """Run preinst scripts where dpkg does, beside their control file: debconf looks for it there."""
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
        box.run([f"/{_CONTROL}/preinst", "install"], env=env, capture=False, check_log=True)
    if scripted:
        child.inside(box.root, _place_control, {})


_CONTROL = "var/lib/dpkg/tmp.ci"


def _place_control(root: Path, control: Mapping[str, ControlFile]) -> None:
    """Put the control files of one package where those of another were; without any, leave nothing there."""
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
    """Let dpkg unpack the packages named `ordered`; configure first what one Pre-Depends on, as apt does."""
    files = {package.locked.name: f"{sandbox.FILES}/{_file_name(package)}" for package in known}
    priorities = {package.locked.name: package.deb.fields.get("priority", "") for package in known}
    for action, names in steps([package.locked for package in known], priorities, ordered):
        words = [files[name] for name in names] if action == "--unpack" else names
        box.run([*_DPKG, action, *words], capture=False, check_log=True)


def _file_name(package: _Package) -> str:
    return f"{package.locked.name}_{package.locked.version.replace(':', '%3a')}.deb"
