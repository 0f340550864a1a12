"""What a tree holds where the build works on it: links to what the builder has open, devices, FIFOs, endless files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from provider.deb.small_root import Small

from oic.chroot import namespace, overlay, sandbox
from oic.errors import OicError, ToolError
from oic.process import child
from oic.process.run import TIMEOUT_VARIABLE
from oic.runs import system as running

from . import ways
from .attack import MOUNTS, RESOLVER, WALL, switch_off
from .host import RESOLV_CONF, SAID_FIRST, beside

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.ospackage.lock import LockedPackage
    from oic.stages import system

    from .ways import Roots

OPEN = 100
"""The number of a descriptor that the builder holds."""
SECRET = "of the host\n"


def _keys_written(work: Path, off: Sequence[str]) -> str:
    """Write the keys of a user whose file is a link to a descriptor; return what that holds then."""
    switch_off(*off)
    victim = work / "victim"
    victim.write_text(SECRET)
    os.dup2(os.open(victim, os.O_RDWR), OPEN)
    part = ways.slice_of(users=[ways.USER])
    stubs = "for name in useradd usermod; do echo exit 0 > $base/usr/sbin/$name; chmod 755 $base/usr/sbin/$name; done"
    prepare = (
        f"{stubs}; mkdir -p $base/home/admin/.ssh; echo admin:x:5:5::/home/admin:/bin/sh >> $base/etc/passwd;"
        f"ln -s /proc/self/fd/{OPEN} $base/home/admin/.ssh/authorized_keys"
    )
    try:
        namespace.call(_fill, part, prepare, work, writes=[_inner(work)])
    except OSError:  # there is no such path in the tree
        assert not off
    return victim.read_text()


def _inner(work: Path) -> Path:
    """Return a directory with nothing mounted in it, which a namespace can be given to write."""
    (work / "inner").mkdir(exist_ok=True)
    return work / "inner"


def _fill(part: system.Slice, prepare: str, work: Path) -> None:
    place = work / "inner"
    ways.prepared(work / "lent/base", place / "base", prepare)
    (place / "tree").mkdir()
    running._fill(part, ways.ROOTFS, {}, {}, [place / "base"], [place / "log"] * (1 + len(part.commands)), place)


def test_a_link_to_a_descriptor_of_the_builder_is_not_followed(roots: Roots, work: Path) -> None:
    assert beside(work, _keys_written, work, (), lent=roots.place) == SECRET


def test_a_link_to_a_descriptor_would_be_followed_past_read_only_mounts(roots: Roots, work: Path) -> None:
    assert beside(work, _keys_written, work, (MOUNTS,), lent=roots.place) == "a key\n"


def _environment_read(work: Path, off: Sequence[str]) -> str:
    switch_off(*off)

    def read() -> str:
        place = work / "inner"
        (place / "upper").mkdir()
        with (
            overlay.merged([work / "lent/base"], place / "root", upper=place / "upper", work=place / "work") as root,
            sandbox.opened(root, place / "log") as box,
        ):
            box.run(["ln", "-s", "/proc/self/environ", "/leak"])
            return child.inside(root, _leak)

    try:
        return namespace.call(read, writes=[_inner(work)])
    except FileNotFoundError:
        return ""


def _leak(root: Path) -> str:
    return (root / "leak").read_text(errors="replace")


def test_the_builder_s_environment_cannot_be_taken_for_a_file(roots: Roots, work: Path) -> None:
    assert beside(work, _environment_read, work, (), lent=roots.place) == ""


def test_without_the_defence_it_could_be_taken_for_a_file(roots: Roots, work: Path) -> None:
    assert "PATH=" in beside(work, _environment_read, work, (MOUNTS,), lent=roots.place)


def _device_opened(work: Path, off: Sequence[str]) -> str:
    switch_off(*off)
    os.mknod(work / "node", 0o20666, os.makedev(1, 3))

    def write() -> str:
        try:
            (work / "node").write_bytes(b"")
        except OSError as error:
            return os.strerror(error.errno or 0)
        return "opened"

    return namespace.call(write, writes=[])


def test_a_device_of_the_host_is_of_no_use_behind_the_wall(work: Path) -> None:
    assert beside(work, _device_opened, work, ()) == "Permission denied"


def test_without_the_defence_a_device_could_be_used(work: Path) -> None:
    assert beside(work, _device_opened, work, (WALL,)) == "opened"


MARKS = """
mkdir /dir /hidden; echo secret > /hidden/file
call setxattr /dir user.overlay.redirect /hidden 7 0
echo kept > /file; call setxattr /file user.overlay.metacopy '' 0 0
call setxattr /file user.overlay.redirect /hidden/file 12 0
mknod /whiteout c 0 0
"""


def _marked(work: Path, packages: Sequence[tuple[LockedPackage, Path]]) -> tuple[list[str], str]:
    """Look through an overlay at a layer whose scriptlet made marks of the overlay's own."""
    layer = ways.run("rpm", "", ways.Roots(place=work / "lent"), work, packages)

    def look() -> tuple[list[str], str]:
        (work / "inner/above/dir").mkdir(parents=True)
        with overlay.merged([layer.tree, work / "inner/above"], work / "inner/at") as root:
            return child.inside(root, _looked)

    return namespace.call(look, writes=[_inner(work)])


def _looked(root: Path) -> tuple[list[str], str]:
    try:
        text = (root / "file").read_text()
    except PermissionError:
        text = "refused"
    return os.listdir(root / "dir"), text


def test_marks_of_the_overlay_lead_nowhere(roots: Roots, work: Path) -> None:
    """The lowest layer is no overlay while it is made: a script can make whiteouts and redirections there."""
    packages = ways.package_of("rpm", MARKS, work)
    assert beside(work, _marked, work, packages, lent=roots.place) == ([], "refused")


ENDLESS = {
    "a FIFO": ("mkfifo $base/var/lib/dpkg/diversions", "did not end within 2 s and was killed"),
    "a long file": ("dd of=$base/var/lib/dpkg/diversions bs=1 count=0 seek=64G 2>/dev/null", "is larger than memory"),
    "a FIFO to write to": (
        "mkdir -p $base/var/lib/dpkg/triggers; mkfifo $base/var/lib/dpkg/triggers/name",
        "did not end within 2 s and was killed",
    ),
}


def _installed(work: Path, prepare: str, package: Small) -> str:
    os.environ[TIMEOUT_VARIABLE] = "2"
    try:
        ways.run("deb", "", ways.Roots(place=work / "lent"), work, [package.make(work)], prepare=prepare)
    except OicError as error:
        return str(error)
    return "well"


@pytest.mark.parametrize("name", ENDLESS)
def test_what_has_no_end_ends_the_build_in_one_line(name: str, roots: Roots, work: Path) -> None:
    prepare, words = ENDLESS[name]
    package = Small(name="hostile", scripts={"triggers": "interest-noawait name\n"})
    said = beside(work, _installed, work, prepare, package, lent=roots.place)
    assert words in said
    assert "\n" not in said


def _resolved(work: Path, off: Sequence[str], commands: Sequence[str]) -> str:
    switch_off(*off)
    ways.run("command", "; ".join(commands), ways.Roots(place=work / "lent"), work, network=True, prepare=LINKED)
    return RESOLV_CONF.read_text()


LINKED = "mkdir -p $base/etc; : > $base/etc/resolv.conf"
EVIL = "echo nameserver evil > /etc/resolv.conf"


def test_a_command_with_the_network_does_not_write_the_host_s_resolv_conf(roots: Roots, work: Path) -> None:
    assert beside(work, _resolved, work, (), (EVIL,), lent=roots.place) == SAID_FIRST


def test_a_command_would_write_resolv_conf_if_it_were_mounted_itself(roots: Roots, work: Path) -> None:
    off = (RESOLVER, WALL)
    assert beside(work, _resolved, work, off, (EVIL,), lent=roots.place) == "nameserver evil\n"


LOANS = {
    "a directory in the copy's place": ["mkdir -p /dev/resolv.conf/x", "true"],
    "a link in the copy's place": ["ln -s /etc/passwd /dev/resolv.conf", "cat /etc/resolv.conf"],
    "the copy taken away": ["true", "rm /dev/resolv.conf; mkdir /dev/resolv.conf"],
    "a neighbour of what was made": ["ln -sf /run/a/b/resolv.conf /etc/resolv.conf", "echo x > /run/a/b/other"],
}


def _lent(work: Path, first: str, second: str) -> str:
    part = ways.slice_of(first, second, online=(1,))
    try:
        namespace.call(_fill, part, LINKED, work, writes=[_inner(work)], network=True)
    except ToolError as error:
        return str(error)
    return (work / "inner/log").read_text()


@pytest.mark.parametrize("name", LOANS)
def test_no_command_breaks_the_copy_of_resolv_conf(name: str, roots: Roots, work: Path) -> None:
    said = beside(work, _lent, work, *LOANS[name], lent=roots.place)
    assert "failed" not in said
    assert "root:" not in said
    assert ("nameserver 192.0.2.1" in said) == LOANS[name][1].startswith("cat")
