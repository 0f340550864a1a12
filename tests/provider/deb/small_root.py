"""A root just big enough for dpkg to work in, made of the host's own programs, and small packages made by dpkg-deb."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oic.chroot import overlay, sandbox
from oic.chroot.tree import Tree
from oic.ospackage.lock import LockedPackage, Requirement
from oic.provider.deb.install import fill, install
from oic.values import Bytes, Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_PROGRAMS = {
    "/bin": "cat chmod chown cp ln ls mkdir mv rm sh tar touch",
    "/sbin": "ldconfig start-stop-daemon",
    "/usr/bin": "diff dpkg dpkg-deb dpkg-divert dpkg-query dpkg-split dpkg-statoverride dpkg-trigger test "
    "update-alternatives",
}
_DIRECTORIES = ("info", "updates", "alternatives", "parts")


def make_root(root: Path) -> Path:
    """Make a root with a merged /usr, dpkg and a shell; dpkg's database is empty."""
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for program in [f"{folder}/{name}" for folder, names in _PROGRAMS.items() for name in names.split()]:
        linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
        for path in [program, *re.findall(r"(/\S+) \(0x", linked)]:
            place = root / path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                shutil.copy2(path, place)
    for name in ("etc", "var/log", *(f"var/lib/dpkg/{name}" for name in _DIRECTORIES)):
        (root / name).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\nmail:x:8:\n")
    return root


@dataclass(frozen=True, kw_only=True)
class Small:
    """A package to make: `files` by path (one ending in / is a directory), control `scripts`, other control `fields`.

    `shape` is called with the directory the package is made of, for what a dict of texts cannot say.
    """

    name: str
    files: dict[str, str] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    shape: Callable[[Path], None] | None = None
    needs: tuple[Requirement, ...] = ()

    def make(self, place: Path) -> tuple[LockedPackage, Path]:
        """Build the package in `place`; return it as the lock of a set names it, with its file."""
        source = place / self.name
        for path, text in self.files.items():
            target = source / path.lstrip("/")
            if path.endswith("/"):
                target.mkdir(parents=True, exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
        (source / "DEBIAN").mkdir(parents=True)
        self._control(source / "DEBIAN")
        if self.shape:
            self.shape(source)
        file = place / f"{self.name}.deb"
        argv = ["dpkg-deb", "-Zgzip", "--root-owner-group", "--nocheck", "--build", str(source), str(file)]
        env = {**os.environ, "TMPDIR": str(place)}  # in a namespace, /tmp is read-only
        subprocess.run(argv, check=True, capture_output=True, env=env)
        return self.locked(file.stat().st_size), file

    def _control(self, control: Path) -> None:
        fields = {
            "Package": self.name,
            "Version": "1",
            "Architecture": "all",
            "Maintainer": "A <a@example.org>",
            "Description": "small",
            **self.fields,
        }
        (control / "control").write_text("".join(f"{name}: {value}\n" for name, value in fields.items()))
        for name, text in self.scripts.items():
            script = name in ("preinst", "postinst", "prerm", "postrm", "config")
            (control / name).write_text(f"#!/bin/sh\nset -e\n{text}\n" if script else text)
            (control / name).chmod(0o755 if script else 0o644)

    def locked(self, size: int = 0) -> LockedPackage:
        """Return the package as a lock has it."""
        return LockedPackage(
            name=self.name,
            version=self.fields.get("Version", "1"),
            architecture=self.fields.get("Architecture", "all"),
            repository="small",
            location=f"{self.name}.deb",
            url=f"file:///{self.name}.deb",
            size=Bytes(size),
            sha256=Digest("0" * 64),
            essential=False,
            requested=(),
            requires=self.needs,
        )


def needs(*names: str, kind: str = "Depends") -> tuple[Requirement, ...]:
    return tuple(Requirement(kind=kind, relation=name, package=name) for name in names)


def installed_by_oic(
    root: Path, packages: Sequence[tuple[LockedPackage, Path]], place: Path, *, in_order: bool = False
) -> Path:
    """Install packages over `root` as the rootfs stage does, or all `in_order`; return a copy. Only in a namespace."""
    at = place / "root"
    (place / "upper").mkdir(parents=True)
    with overlay.merged([root], at, upper=place / "upper", work=place / "work"):
        upper, log = place / "upper", place / "log"
        tree = Tree(root=at, below=(root,), upper=upper, log=log, epoch=0, tools=place, work=place / "tools")
        filled = fill(packages, tree, in_order=True) if in_order else install(packages, tree)
        epoch = filled.epoch
        (place / "epoch").write_text(str(epoch))
        return _copied(at, place / "copy")


def installed_by_dpkg(root: Path, packages: Sequence[tuple[LockedPackage, Path]], place: Path) -> Path:
    """Have dpkg alone install packages over `root`, in their order, as apt calls it: triggers come last."""
    at = place / "root"
    (place / "upper").mkdir(parents=True)
    with overlay.merged([root], at, upper=place / "upper", work=place / "work"):
        debs = at / "debs"
        debs.mkdir()
        for _, file in packages:
            shutil.copy(file, debs)
        with sandbox.opened(at, place / "log") as box:
            for package, file in packages:
                if any(need.kind == "Pre-Depends" for need in package.requires):
                    box.run(["dpkg", "--no-triggers", "--configure", "-a"])
                box.run(["dpkg", "--no-triggers", "--unpack", f"/debs/{file.name}"])
            box.run(["dpkg", "--configure", "-a"])
        shutil.rmtree(debs)
        return _copied(at, place / "copy")


def _copied(tree: Path, place: Path) -> Path:
    subprocess.run(["cp", "-a", "--", str(tree), str(place)], check=True)
    return place


def is_dpkg_s_own(path: str) -> bool:
    """Tell whether a path is a log, a lock or a backup of dpkg's, or where the sandbox mounts something."""
    mounted = path.split("/", maxsplit=1)[0] in ("dev", "proc", "tmp")
    return mounted or path.endswith(("-old", "lock", "lock-frontend", "Lock", "Unincorp", ".log"))
