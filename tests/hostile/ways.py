"""Three ways into the sandbox: a deb's maintainer script, an rpm's scriptlet, a command of a recipe.

Each makes a layer as the stages do; what the attacks said is in it, below /said.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from config.users import USER as PLAIN_USER
from msgspec.structs import replace
from provider.deb.small_root import Small, make_root
from provider.rpm.small_root import copied, locked, make_filesystem, make_tools, rpmbuild

from oic.chroot import creation, overlay
from oic.chroot.tree import Filled, Tree
from oic.config.model import Command, Network, Services
from oic.handover.tree import InstalledTree
from oic.provider import provider_of
from oic.provider.deb.install import install as install_debs
from oic.provider.rpm.install import install as install_rpms
from oic.runs import system as running
from oic.stages import system
from oic.values import Digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oic.chroot.layers import Layer
    from oic.config.model import User
    from oic.ospackage.lock import LockedPackage

PROGRAMS = (
    *("/bin/cat", "/bin/chmod", "/bin/chown", "/bin/cp", "/bin/dd", "/bin/ln", "/bin/ls", "/bin/mkdir", "/bin/mknod"),
    *("/bin/mv", "/bin/rm", "/bin/sleep", "/bin/stat", "/bin/touch", "/usr/bin/env", "/usr/bin/head", "/usr/bin/id"),
    *(
        "/usr/bin/kill",
        "/usr/bin/mkfifo",
        "/bin/rmdir",
        "/usr/bin/setsid",
        "/usr/bin/timeout",
        "/usr/bin/tr",
        "/bin/mount",
    ),
    *("/bin/umount", "/usr/bin/unshare"),
)
WAYS = ("deb", "rpm", "command")
provider_of("deb")  # imported before an ordinary user would have to read Python's own files


@dataclass(frozen=True, kw_only=True)
class Roots:
    """What every way starts from, in a directory that everybody may read: a root with dpkg, rpms, a tree with rpm."""

    place: Path

    @property
    def base(self) -> Path:
        return self.place / "base"

    @property
    def filesystem(self) -> Path:
        return self.place / "filesystem.rpm"

    @property
    def tools(self) -> Path:
        return self.place / "tools"


def compiled(place: Path, scripts: Sequence[str]) -> Path:
    """Compile the helper ``call`` with the names of the calls that the scripts make."""
    words = [word for script in scripts for line in script.splitlines() for word in _calls_in(line)]
    names = sorted(set(words) - {"int80", "x32"})
    (place / "calls.h").write_text("".join(f'{{"{name}", SYS_{name}}},\n' for name in names))
    source = Path(__file__).with_name("call.c")
    argv = ["gcc", "-static", "-O1", "-Wall", "-Wno-format", f"-I{place}", "-o", str(place / "call"), str(source)]
    subprocess.run(argv, check=True, capture_output=True, text=True)
    return place / "call"


def _calls_in(line: str) -> list[str]:
    return re.findall(r"(?:\bcall|\+) ([a-z_0-9]+)", line) if "call " in line else []


def make_roots(place: Path, helper: Path) -> Roots:
    """Make what the ways start from."""
    made = Roots(place=place)
    base = make_root(made.base)
    for program in PROGRAMS:
        if Path(program).exists():
            copied(program, base)
    shutil.copy(helper, base / "usr/bin/call")
    (base / "etc/skel").mkdir()
    files = place / "files"
    for program in PROGRAMS:
        if Path(program).exists():
            copied(program, files)
    (files / "usr/bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(helper, files / "usr/bin/call")
    make_filesystem(place).rename(made.filesystem)
    make_tools(made.tools)
    return made


def batch(scripts: dict[str, str]) -> str:
    """Return one script that runs each of these in a shell of its own and keeps what it says."""
    lines = ["mkdir -p /said", "exec 8>&1 9>&2"]
    for name, script in scripts.items():
        lines.append(
            f"timeout -k 1 10 sh -c {shlex.quote(script)} > '/said/{name}' 2>&1 < /dev/null "
            f"|| [ $? -ne 124 ] || echo did not end >> '/said/{name}'"
        )
    return "\n".join([*lines, "true"])


def package_of(way: str, script: str, place: Path) -> list[tuple[LockedPackage, Path]]:
    """Make a package whose script is `script`; none for a command."""
    if way == "deb":
        return [Small(name="hostile", files={"/usr/share/hostile": "here\n"}, scripts={"postinst": script}).make(place)]
    if way == "rpm":
        body = "Requires(post): filesystem\n%description\nhostile\n%post\n" + script.replace("%", "%%") + "\n%files\n"
        file = rpmbuild(place, "hostile", body)
        return [(locked("filesystem"), Path()), (locked("hostile"), file)]
    return []


def run(
    way: str,
    script: str,
    roots: Roots,
    work: Path,
    packages: Sequence[tuple[LockedPackage, Path]] = (),
    *,
    network: bool = False,
    prepare: str = "",
) -> Layer:
    """Make the layer in which a script of `packages` (`package_of`), or the command `script`, ran.

    `prepare` is a shell script that changes the tree below, $base, first.
    """
    log = work / "log"
    log.touch()
    files = [(package, file if file.name else roots.filesystem) for package, file in packages]
    fill = partial(_fill, way, script, roots, files, log, network, prepare)
    return creation.get_or_create(work / "cache", Digest("a" * 64), fill, writes=[log], network=network)


def _fill(
    way: str,
    script: str,
    roots: Roots,
    packages: Sequence[tuple[LockedPackage, Path]],
    log: Path,
    network: bool,  # noqa: FBT001
    prepare: str,
    part: Path,
) -> Filled:
    if way == "rpm":
        with overlay.merged([], part / "root", upper=part / "tree", work=part / "work") as root:
            tree = Tree(
                root=root, below=(), upper=part / "tree", log=log, epoch=0, tools=roots.tools, work=part / "tools"
            )
            return install_rpms(packages, tree)
    base = part / "base"
    prepared(roots.base, base, prepare)
    if way == "command":
        return running._fill(slice_of(script, online=(0,) if network else ()), ROOTFS, {}, {}, [base], [log, log], part)
    with overlay.merged([base], part / "root", upper=part / "tree", work=part / "work") as root:
        tree = Tree(root=root, below=(base,), upper=part / "tree", log=log, epoch=0, tools=part, work=part / "tools")
        return install_debs(packages, tree)


def prepared(source: Path, base: Path, script: str) -> None:
    """Copy a root, so that an ordinary user's namespace owns it, and change it by a shell script."""
    subprocess.run(["cp", "-a", "--no-preserve=ownership", str(source), str(base)], check=True)
    subprocess.run(["sh", "-ec", script], check=True, env={**os.environ, "base": str(base)})


ROOTFS = InstalledTree(layers=(), epoch=1, private_keys=(), repositories=())


USER = replace(PLAIN_USER, ssh_authorized_keys=("a key",))
"""A user with a key; one that the tree has already needs no program of it."""


def slice_of(*commands: str, online: Sequence[int] = (), users: Sequence[User] = ()) -> system.Slice:
    """Return what the `system` stage reads, with nothing in it but commands, some of them with a network, and users."""
    return system.Slice(
        provider="deb",
        hostname="",
        network=Network(backend="systemd-networkd", interfaces=()),
        timezone="",
        locale="",
        keymap="",
        esp="",
        growth=None,
        has_kernel=True,
        has_initramfs=True,
        files=(),
        users=tuple(users),
        mounts=(),
        package_sources={},
        told=(),
        commands=tuple(Command(cmd=command, network=number in online) for number, command in enumerate(commands)),
        services=Services(enable=(), disable=(), mask=()),
    )
