"""The user and group ids of the host that the ids inside a build are mapped to.

Root maps the whole range to itself; an ordinary user has sub-ids. The owners of files on disk depend on the map, so
cached trees have `IdMap.key` in their names. See user_namespaces(7),
subuid(5), newuidmap(1).
"""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

from msgspec import Struct

from oic.errors import OicError

NEEDED_IDS = 65536
Range = tuple[int, int, int]
"""First id inside, first id outside, count: a line of ``/proc/PID/uid_map``."""


class IdMap(Struct, frozen=True):
    """The uid and gid lines of a user namespace."""

    uids: tuple[Range, ...]
    gids: tuple[Range, ...]
    by_helper: bool

    @property
    def key(self) -> str:
        """Return a short name of the map; two maps have the same name if they give the same owners on disk."""
        outside = [f"{first}-{count}" for _, first, count in self.uids]
        if self.uids != self.gids:
            outside += [f"g{first}-{count}" for _, first, count in self.gids]
        return "u" + "_".join(outside)


def hint() -> str:
    """Return what gives the current user sub-ids."""
    return f"as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {_user()}"


def current() -> IdMap:
    """Return the map of the current user; raises OicError when an ordinary user lacks sub-ids or newuidmap."""
    uid = os.geteuid()
    if uid == 0:
        return IdMap(_identity("uid"), _identity("gid"), by_helper=False)
    if not shutil.which("newuidmap"):
        hint = "as root: apt-get install uidmap"
        raise OicError("building as an ordinary user needs newuidmap, which is not installed", hint=hint)
    name = _user()
    return IdMap(
        ((0, uid, 1), (1, *_subordinate("uid", name, uid))),
        ((0, os.getegid(), 1), (1, *_subordinate("gid", name, uid))),
        by_helper=True,
    )


def _user() -> str:
    """Return the user's name, or the user id if it has no name, as in containers."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _identity(kind: str) -> tuple[Range, ...]:
    lines = Path(f"/proc/self/{kind}_map").read_text(encoding="ascii").splitlines()
    ranges = [[int(word) for word in line.split()] for line in lines]
    return tuple((inside, inside, count) for inside, _, count in ranges)


def _subordinate(kind: str, name: str, uid: int) -> tuple[int, int]:
    file = Path(f"/etc/sub{kind}")
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    for line in lines:
        owner, _, rest = line.partition(":")
        first, _, count = rest.partition(":")
        if owner in (name, str(uid)) and first.isdigit() and count.isdigit() and int(count) >= NEEDED_IDS - 1:
            return int(first), min(int(count), NEEDED_IDS - 1)
    message = f"expected a range of at least {NEEDED_IDS - 1} sub-{kind}s for user {name}, found none"
    raise OicError(message, where=str(file), hint=hint())
