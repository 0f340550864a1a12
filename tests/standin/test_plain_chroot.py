"""Every scriptlet of the stand-in, in the sandbox and in a plain chroot: it fails in both or in neither, to one tree.

All packages of a distribution go together, so that each has what it needs.
"""

from __future__ import annotations

import codecs
import os
import re
import shutil
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from images.ordinary_user import ordinary_user
from provider.rpm.small_root import installed, make_tools

from oic.chroot import namespace
from oic.process import child
from oic.provider.rpm.scripts import failures_in

from . import plain_chroot
from .fixtures import Standin, standin

if TYPE_CHECKING:
    import pwd
    from collections.abc import Sequence

    from oic.chroot.tree import Facts

__all__ = ["standin"]

pytestmark = pytest.mark.mirror

FAILING = {"kpatch", "lm-sensors", "wireguard-tools"}

OTHER_CONTENT = {
    # drawn anew each time
    "etc/ident.key": "a key of authd",
    "etc/machine-id": "drawn by systemd-machine-id-setup",
    "var/lib/systemd/random-seed": "drawn by %post of systemd-udev",
    "etc/nvme/host*": "ids of nvme-cli",
    "etc/pki/tls/*/postfix.*": "a key of postfix, and its certificate",
    # with the time of the clock, which is the set's here and the host's there
    "root/.gnupg/pubring.kbx*": "when keys were imported",
    "root/.gnupg/trustdb.gpg": "when it was made",
    "usr/lib/sysimage/tdnf/history.db": "tdnf's history",
    # of the file system and of who opened it last
    "var/cache/ldconfig/aux-cache": "times and inodes of libraries",
    "var/lib/rpm/rpmdb.sqlite-shm": "shared memory of the database, emptied here",
}
"""What may have other content in the two trees, and why."""

OF_NODE_AGENT = {
    "etc/intel_edge_node/caddy/.keys/*": "its key and its certificate",
    "etc/pki/ca-trust/source/anchors/*": "the same certificate",
    "etc/pki/ca-trust/extracted/*": "the stores with that certificate",
}
"""The same, of a package that only emt3 has."""

ONLY_PLAIN = {
    "boot/initrd.img-*": "dracut does not run here, it has a stage of its own",
    "root/.gnupg/S.gpg-agent*": "sockets of an agent, which are removed here",
    "var/lib/rpm/.rpm.lock": "removed here",
}
"""What may be in the plain chroot only, and why. Nothing may be in the sandbox only."""

CASES = [
    pytest.param("azl3", False, id="azl3"),
    pytest.param("emt3", False, id="emt3", marks=pytest.mark.slow),
    pytest.param("azl3", True, id="azl3-as-an-ordinary-user", marks=pytest.mark.slow),
    pytest.param("emt3", True, id="emt3-as-an-ordinary-user", marks=pytest.mark.slow),
]

Both = tuple[tuple[str, dict[str, "Facts"]], tuple[str, dict[str, "Facts"]]]


@pytest.mark.parametrize(("distribution", "as_user"), CASES)
def test_a_scriptlet_does_in_the_sandbox_what_it_does_in_a_plain_chroot(
    distribution: str,
    as_user: bool,  # noqa: FBT001 - a column of the table
    standin: Standin,
    tmp_path: Path,
) -> None:
    files = sorted(standin.folders[distribution].rglob("*.rpm"))
    if as_user:
        if os.geteuid() != 0:
            pytest.skip("making a user needs root; this one runs the other cases")
        with ordinary_user("oic-plain") as user:
            work = Path(user.pw_dir, "work")
            lent = _lent(files, work, user)
            (said, sandboxed), (said_there, plain) = child.start(_as_user, user, lent, work).result()
    else:
        (said, sandboxed), (said_there, plain) = _both(files, tmp_path)
    assert _failed(said) == _failed(said_there)
    assert {_package_of(named) for named in _failed(said)} == FAILING
    assert "Running in chroot" in said, "systemd's tools know where they are"
    excuses = {**OTHER_CONTENT, **(OF_NODE_AGENT if distribution == "emt3" else {})}
    found = {path: kind for path in sandboxed.keys() | plain.keys() if (kind := _difference(path, sandboxed, plain))}
    assert {path: kind for path, kind in found.items() if not _is_excused(path, kind, excuses)} == {}
    used = {pattern for pattern in (*excuses, *ONLY_PLAIN) if any(fnmatchcase(path, pattern) for path in found)}
    assert used == {*excuses, *ONLY_PLAIN}, "no excuse is left over"
    assert len(plain) > 10_000


def test_the_plain_chroot_keeps_every_capability() -> None:
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    assert int(plain_chroot.capabilities(), 16) == (2 << last) - 1


def _lent(files: Sequence[Path], work: Path, user: pwd.struct_passwd) -> list[Path]:
    """Copy packages to where an ordinary user can read them."""
    (work / "packages").mkdir(parents=True)
    lent = [Path(shutil.copy(file, work / "packages")) for file in files]
    for path in (work, *work.rglob("*")):
        shutil.chown(path, user.pw_uid, user.pw_gid)
    return lent


def _as_user(user: pwd.struct_passwd, files: Sequence[Path], work: Path) -> Both:
    codecs.lookup("ascii")  # read before Python's own files cannot be
    os.initgroups(user.pw_name, user.pw_gid)
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    os.environ.update(HOME=user.pw_dir, USER=user.pw_name, TMPDIR=str(work))
    return _both(files, work)


def _both(files: Sequence[Path], work: Path) -> Both:
    make_tools(work / "tools")
    try:
        box = installed(files, work / "tools", work / "sandbox", [_package_of(f"({file.stem}") for file in files])
        said = plain_chroot.install(files, work / "plain", box.epoch)
        trees = (plain_chroot.content_of(work / place / "tree") for place in ("sandbox", "plain"))
        return (box.log, next(trees)), (said, next(trees))
    finally:
        namespace.call(_emptied, work, writes=[work])


def _emptied(work: Path) -> None:
    """Remove what owners of the namespace have; pytest could not, as an ordinary user."""
    for place in ("sandbox", "plain"):
        shutil.rmtree(work / place, ignore_errors=True)


def _failed(said: str) -> dict[str, str]:
    return {failure.named: failure.how for failure in failures_in(said, {})}


def _package_of(named: str) -> str:
    return re.sub(r"-[^-]+-[^-]+$", "", named.partition("(")[2])


def _difference(path: str, sandboxed: dict[str, Facts], plain: dict[str, Facts]) -> str:
    """Return how an entry differs; times are the clock's and no scriptlet's."""
    here, there = sandboxed.get(path), plain.get(path)
    if here is None or there is None:
        return "only in the sandbox" if here else "only in the plain chroot"
    same = ("mode", "user", "group", "attributes")
    pairs = {name: (getattr(here, name), getattr(there, name)) for name in same}
    found = [f"{name}: {one}, {other}" for name, (one, other) in pairs.items() if one != other]
    return "; ".join(found) or ("content" if here.content != there.content else "")


def _is_excused(path: str, kind: str, excuses: dict[str, str]) -> bool:
    patterns = {"content": excuses, "only in the plain chroot": ONLY_PLAIN}.get(kind, {})
    return any(fnmatchcase(path, pattern) for pattern in patterns)
