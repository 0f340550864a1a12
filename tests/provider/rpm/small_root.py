"""A build environment just big enough for the host's rpm to work in, and small packages made by rpmbuild."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.chroot import namespace, overlay
from oic.chroot.tree import Filled, Tree
from oic.ospackage.lock import LockedPackage
from oic.provider.rpm.install import install
from oic.values import Bytes, Digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.handover.tree import PassedOver

_HEAD = """Name: {name}
Version: 1
Release: 1
Summary: {name}
License: MIT
AutoReqProv: no
"""

_FILESYSTEM = """Provides: /bin/sh
%description
A shell and the directories it needs.
%install
cd %{buildroot}
mkdir -p usr/bin usr/lib usr/lib64 proc sys dev tmp var/tmp etc
for link in bin lib lib64; do ln -s usr/$link $link; done
cp -a FILES/. .
echo root:x:0:0:root:/root:/bin/sh > etc/passwd
echo root:x:0: > etc/group
%files
/usr
/bin
/lib
/lib64
/etc/passwd
/etc/group
%dir %attr(0555,root,root) /proc
%dir %attr(0555,root,root) /sys
%dir /dev
%dir %attr(1777,root,root) /tmp
%dir %attr(1777,root,root) /var/tmp
"""

_MACROS = """%_dbpath /var/lib/rpm
%_db_backend sqlite
"""


def rpmbuild(place: Path, name: str, body: str) -> Path:
    """Make a package of a spec file's text after its first lines; return its file."""
    place.mkdir(parents=True, exist_ok=True)
    spec = place / f"{name}.spec"
    spec.write_text(_HEAD.format(name=name) + body)
    out = place / f"rpms-{name}"
    defines = {
        "_topdir": place / "top",
        "_rpmdir": out,
        "__spec_install_post": "%{nil}",
        "_build_name_fmt": "%%{NAME}.rpm",
    }
    words = ["--define", "__spec_install_post %{nil}"]
    words += [word for key, value in defines.items() for word in ("--define", f"{key} {value}")]
    done = subprocess.run(["rpmbuild", "-bb", "--quiet", *words, spec], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.rpm"))


def copied(program: str, root: Path) -> None:
    """Copy a program of the host with the libraries it needs."""
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    for path in [program, *re.findall(r"(/\S+) \(0x", linked)]:
        place = root / re.sub("^/(bin|sbin|lib|lib64)/", r"/usr/\1/", path).lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            shutil.copy2(path, place)


def make_filesystem(place: Path) -> Path:
    """Make the package that everything else stands on: directories, dash as the shell, sleep."""
    files = place / "files"
    for program in ("/bin/sh", "/bin/sleep"):
        copied(program, files)
    return rpmbuild(place, "filesystem", _FILESYSTEM.replace("FILES", str(files)))


def make_tools(root: Path) -> Path:
    """Make a tree in which the host's rpm runs."""
    for name in ("bin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    copied("/usr/bin/rpm", root)
    shutil.copytree("/usr/lib/rpm", root / "usr/lib/rpm", symlinks=True, ignore_dangling_symlinks=True)
    (root / "etc/rpm").mkdir(parents=True)
    (root / "etc/rpm/macros").write_text(_MACROS)
    return root


@dataclass(frozen=True, kw_only=True)
class Installed:
    """An installed set: the tree, the log, the epoch, and what was let fail."""

    tree: Path
    log: str
    epoch: int
    passed: tuple[PassedOver, ...]


def installed(files: Sequence[Path], tools: Path, place: Path, may_fail: Sequence[str] = ()) -> Installed:
    """Install package files into an empty tree, as the rootfs stage does."""
    packages = [(locked(file.stem), file) for file in files]
    (place / "tree").mkdir(parents=True)
    filled = namespace.call(_install, packages, tools, place, may_fail, writes=[place])
    log = (place / "log").read_text()
    return Installed(tree=place / "tree", log=log, epoch=filled.epoch, passed=filled.passed)


def _install(
    packages: Sequence[tuple[LockedPackage, Path]], tools: Path, place: Path, may_fail: Sequence[str]
) -> Filled:
    with overlay.merged([], place / "root", upper=place / "tree", work=place / "work") as root:
        upper, log = place / "tree", place / "log"
        tree = Tree(root=root, below=(), upper=upper, log=log, epoch=0, tools=tools, work=place / "tools")
        return install(packages, tree, may_fail=may_fail)


def locked(name: str) -> LockedPackage:
    return LockedPackage(
        name=name,
        version="1-1",
        architecture="x86_64",
        repository="small",
        location=f"{name}.rpm",
        url="",
        size=Bytes(0),
        sha256=Digest("0" * 64),
        essential=False,
        requested=(),
        requires=(),
    )
