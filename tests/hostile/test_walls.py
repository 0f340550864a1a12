"""The builder's own work on a tree, led out of it: each of the two walls alone keeps the host as it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from provider.deb.small_root import Small

from oic.errors import OicError
from oic.process.child import ChildError

from . import ways
from .attack import INSIDE, WALL, switch_off
from .host import beside

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.ospackage.lock import LockedPackage

    from .ways import Roots


@dataclass(frozen=True, kw_only=True)
class Route:
    """A way out of a tree: what is `below` (a script, $base), a script of the package, its control file and more.

    DOOR stands for a directory of the host.
    """

    way: str = "deb"
    below: str = ""
    script: str = "true"
    fields: dict[str, str] = field(default_factory=dict)
    control: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    """Whether the work passes over the wall's refusal."""


def _moved(place: str) -> str:
    """Return a script that puts a link to DOOR in the place of a directory, with the same in it as before."""
    return f"mkdir -p $base/DOOR; cp -a $base{place}/. $base/DOOR; rm -r $base{place}; ln -s DOOR $base{place}"


def _moved_by_script(place: str) -> str:
    return f"mkdir -p DOOR {place}; cp -a {place}/. DOOR; rm -r {place}; ln -s DOOR {place}"


_UP = "../" * 20
ROUTES = {
    "policy-rc.d in a directory that is a link": Route(below=_moved("/usr/sbin")),
    "the name in a control file": Route(fields={"Package": f"{_UP}DOOR/evil"}, control={"sh": "evil"}),
    "the name of a trigger": Route(control={"triggers": f"interest-noawait {_UP}DOOR/victim.list\n"}),
    "dpkg's info is a link": Route(below=_moved("/var/lib/dpkg/info")),
    "dpkg's triggers are a link": Route(
        below="mkdir $base/var/lib/dpkg/triggers;" + _moved("/var/lib/dpkg/triggers"),
        control={"triggers": "interest-noawait victim.list\n"},
    ),
    "dpkg's status is a link": Route(
        below="mkdir -p $base/DOOR; mv $base/var/lib/dpkg/status $base/DOOR/victim.list;"
        "ln -s DOOR/victim.list $base/var/lib/dpkg/status"
    ),
    "rpm's other database is a link": Route(
        way="rpm", script="mkdir -p DOOR /usr/lib/sysimage; ln -s DOOR /usr/lib/sysimage/rpm"
    ),
    "root's keyring is a link": Route(way="rpm", script=_moved_by_script("/root/.gnupg")),
    "dracut's configuration is a link": Route(way="rpm", script=_moved_by_script("/etc/dracut.conf.d"), silent=True),
    "what the stage writes is a link": Route(way="command", below=_moved("/etc")),
    "what a command leaves is a link": Route(
        way="command", script="mkdir -p DOOR; rm -rf /var/log; ln -s DOOR /var/log"
    ),
}
VICTIMS = {
    "victim.list": b"of the host\n",
    "rpmdb.sqlite-shm": b"of the host\n",
    "00-held.conf": b"of the host\n",
    "random_seed": b"of the host\n",
    "machine-id": b"of the host\n",
    "dpkg.log": b"of the host\n",
}
REFUSED = ("Read-only file system", "Errno 30")


def _went(name: str, roots: Roots, work: Path, off: Sequence[str]) -> tuple[dict[str, bytes], str]:
    """Go a route; return what is in the host's directory afterwards, and how it ended."""
    route, door = ROUTES[name], work / "door"
    door.mkdir()
    for victim, content in VICTIMS.items():
        (door / victim).write_bytes(content)
    script = route.script.replace("DOOR", str(door))
    fields = {key: value.replace("DOOR", str(door)[1:]) for key, value in route.fields.items()}
    control = {key: value.replace("DOOR", str(door)[1:]) for key, value in route.control.items()}
    if route.way == "deb":
        made = Small(name="hostile", scripts={"postinst": script, **control}, fields=fields)
        packages = [made.make(work)]
    else:
        packages = ways.package_of(route.way, script, work)
    below = route.below.replace("$base/DOOR", f"$base{door}").replace("DOOR", str(door))
    how = beside(work, _run, route.way, script, packages, below, work, off, lent=roots.place)
    return {path.name: path.read_bytes() for path in door.iterdir()}, how


def _run(
    way: str,
    script: str,
    packages: Sequence[tuple[LockedPackage, Path]],
    below: str,
    work: Path,
    off: Sequence[str],
) -> str:
    switch_off(*off)
    try:
        ways.run(way, script, ways.Roots(place=work / "lent"), work, packages, prepare=below)
    except (OSError, OicError, ChildError) as error:
        return str(error)
    return "well"


@pytest.mark.parametrize("name", ROUTES)
def test_without_walls_the_host_is_changed(name: str, roots: Roots, work: Path) -> None:
    left, how = _went(name, roots, work, (INSIDE, WALL))
    assert left != VICTIMS, how


@pytest.mark.parametrize("name", ROUTES)
def test_a_read_only_host_alone_stays_as_it_was(name: str, roots: Roots, work: Path) -> None:
    left, how = _went(name, roots, work, (INSIDE,))
    assert left == VICTIMS
    assert ROUTES[name].silent or any(word in how for word in REFUSED), how


@pytest.mark.parametrize("name", ROUTES)
def test_work_from_inside_the_tree_alone_leaves_the_host_as_it_was(name: str, roots: Roots, work: Path) -> None:
    left, _ = _went(name, roots, work, (WALL,))
    assert left == VICTIMS


@pytest.mark.slow
@pytest.mark.parametrize("name", ROUTES)
def test_with_both_the_host_stays_as_it_was(name: str, roots: Roots, work: Path) -> None:
    left, how = _went(name, roots, work, ())
    assert left == VICTIMS
    assert "Traceback" not in how, how


def test_a_file_of_the_host_has_a_name_and_no_path(roots: Roots, work: Path) -> None:
    package = Small(name="hostile", scripts={"preinst": "true", "postinst": "true"})
    locked, file = package.make(work)
    named = replace(locked, name=f"{_UP}{str(work)[1:]}/x")
    how = beside(work, _run, "deb", "", [(named, file)], "", work, (WALL,), lent=roots.place)
    assert how.startswith(f"expected a file name, found '{_UP}")
    assert not (work / "x_1.deb").exists()
