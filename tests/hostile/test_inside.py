"""The whole table of attacks from inside, by each way; and what each would do without what stops it."""

from __future__ import annotations

import os
import re
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from . import ways
from .attack import CANARY, NETWORK, Attack, switch_off
from .attacks import ATTACKS
from .host import beside, state

if TYPE_CHECKING:
    import pwd
    from collections.abc import Sequence

    from oic.ospackage.lock import LockedPackage

    from .ways import Roots

SECRET = "what the host knows\n"
CHANGED = "what changed on the host"


def tried(
    way: str,
    attacks: Sequence[Attack],
    roots: Roots,
    work: Path,
    *,
    off: Sequence[str] = (),
    user: pwd.struct_passwd | None = None,
) -> dict[str, str]:
    """Run attacks on the stand-in; return what each said, and what they did to it."""
    (work / "canary").write_text(SECRET)
    (work / "log").write_text(SECRET)
    script = ways.batch({attack.name: attack.script.replace(CANARY, str(work / "canary")) for attack in attacks})
    packages = ways.package_of(way, script, work)
    if user:
        for path in (work, *work.rglob("*")):
            shutil.chown(path, user.pw_uid, user.pw_gid)
    names = [attack.name for attack in attacks]
    return beside(work, _tried, way, script, packages, names, off, work, user=user, lent=roots.place)


def _tried(
    way: str,
    script: str,
    packages: Sequence[tuple[LockedPackage, Path]],
    names: Sequence[str],
    off: Sequence[str],
    work: Path,
) -> dict[str, str]:
    os.environ["HOSTILE_LOG"] = str(work / "log")
    before = state()
    switch_off(*off)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0oic-hostile")
        listener.listen()
        roots = ways.Roots(place=work / "lent")
        layer = ways.run(way, script, roots, work, packages, network=NETWORK in off)
    said = {name: (layer.tree / "said" / name).read_text(errors="replace") for name in names}
    log = work / "log"
    changed = [] if state() == before else [f"{before} became {state()}"]
    changed += [] if log.read_text(errors="replace").startswith(SECRET) else ["the log was cut"]
    changed += [] if log.stat().st_mode & 0o7777 == 0o644 else ["the log has another mode"]
    changed += [] if (work / "canary").read_text() == SECRET else ["the canary was written"]
    return {**said, CHANGED: "; ".join(changed)}


def _other_than(attacks: Sequence[Attack], said: dict[str, str], *, without: bool = False) -> dict[str, str]:
    """Return what attacks said that did not find what they should."""
    return {
        attack.name: said[attack.name]
        for attack in attacks
        if not re.search(attack.without if without else attack.finds, said[attack.name].rstrip("\n"))
    }


def test_there_are_many_attacks_with_a_name_each() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 60
    assert not [attack.name for attack in ATTACKS if bool(attack.by) == bool(attack.kernel)]


@pytest.mark.parametrize("way", ways.WAYS)
def test_what_a_script_of_root_s_build_finds(way: str, roots: Roots, work: Path) -> None:
    said = tried(way, ATTACKS, roots, work)
    assert _other_than(ATTACKS, said) == {}
    assert said[CHANGED] == ""


@pytest.mark.parametrize("way", ways.WAYS)
def test_what_a_script_of_an_ordinary_user_s_build_finds(way: str, roots: Roots, user: pwd.struct_passwd) -> None:
    work = Path(user.pw_dir, way)
    work.mkdir()
    said = tried(way, ATTACKS, roots, work, user=user)
    assert _other_than(ATTACKS, said) == {}
    assert said[CHANGED] == ""


@pytest.mark.parametrize("off", sorted({attack.by for attack in ATTACKS if attack.by}), ids="+".join)
def test_without_its_defence_an_attack_succeeds(off: tuple[str, ...], roots: Roots, work: Path) -> None:
    attacks = [attack for attack in ATTACKS if attack.by == off]
    said = tried("command", attacks, roots, work, off=off)
    assert _other_than(attacks, said, without=True) == {}
    assert len(_other_than(attacks, said)) == len(attacks), "the pattern does not tell the two apart"


def test_what_the_kernel_stops_is_stopped_without_all_defences_of_ours(roots: Roots, work: Path) -> None:
    attacks = [attack for attack in ATTACKS if attack.kernel]
    said = tried("command", attacks, roots, work, off=("filter", "capabilities", "nodes", "wall"))
    assert _other_than(attacks, said) == {}
