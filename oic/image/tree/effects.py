"""What a recipe sets and the image has no use for: said before it is shipped, with what to do about it.

* An error where the image would not be what was asked for (a unit, a time zone); else a note.
* Every function but `idle_settings` runs with the tree as its root, and reads it only.
"""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING, Protocol

from oic.config.schema import did_you_mean
from oic.errors import OicError
from oic.image.tree import network

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from oic.config.model import Network, Services, User

_UNITS = ("etc/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")
_ZONES = "usr/share/zoneinfo"
_BUILT_IN = frozenset({"C", "POSIX", "C.UTF-8", "C.utf8"})
_LOCALES = "usr/lib/locale"
_KEYMAPS = ("usr/share/keymaps", "usr/share/kbd/keymaps", "usr/lib/kbd/keymaps", "lib/kbd/keymaps")
_SYMBOLS = ("usr/share/X11/xkb/symbols", "usr/share/xkeyboard-config-2/symbols")


class Settings(Protocol):
    """The settings of a recipe that only some images heed."""

    @property
    def users(self) -> Sequence[User]: ...  # noqa: D102
    @property
    def locale(self) -> str: ...  # noqa: D102
    @property
    def keymap(self) -> str: ...  # noqa: D102


def idle_settings(root: Path, said: Settings, groups: frozenset[str]) -> list[str]:
    """Return a note for each setting without effect; `groups` are those that the image's packages have."""
    return [
        *_sudo(root, said.users),
        *_new_groups(said.users, groups),
        *_locale(root, said.locale),
        *_keymap(root, said.keymap),
    ]


def check_network(root: Path, said: Network) -> None:
    """Raise OicError where the image has nothing that would read the network's file."""
    places = [root / place / network.NETPLAN_GENERATOR for place in ("usr/lib/systemd", "lib/systemd")]
    if said.backend == network.NETPLAN and said.interfaces and not any(place.exists() for place in places):
        raise OicError("network.backend: expected netplan in the image, found none", hint="add the package netplan.io")


def group_names(root: Path) -> frozenset[str]:
    """Return the groups of a tree, none where it has no group(5)."""
    try:
        text = (root / "etc/group").read_text("utf-8", "surrogateescape")
    except FileNotFoundError:
        return frozenset()
    return frozenset(line.partition(":")[0] for line in text.splitlines())


def _sudo(root: Path, users: Sequence[User]) -> Iterator[str]:
    names = [user.name for user in users if user.sudo]
    if names and not any((root / place).exists() for place in ("usr/bin/sudo", "bin/sudo")):
        yield f"users: sudo of {', '.join(names)} has no effect, as the image has no sudo: add the package sudo"


def _new_groups(users: Sequence[User], known: frozenset[str]) -> Iterator[str]:
    for user in users:
        for group in user.groups:
            if known and group not in known:
                near = did_you_mean(group, known)
                yield f"users: the group {group} of {user.name} was made, as no package has it{near}"


def _locale(root: Path, name: str) -> Iterator[str]:
    if name and name not in _BUILT_IN and not _has_locale(root, name):
        there = sorted(_named_below(root, ("usr/share/i18n/locales",)))
        language = name.partition(".")[0]
        near = did_you_mean(language, there) if there and language not in there else ""
        add = "add locales-all or a glibc-langpack, or a command that runs localedef"
        yield f"locale: {name} has no effect, as the image does not have it{near or f': {add}'}"


def _has_locale(root: Path, name: str) -> bool:
    """Look a locale up as glibc does: a directory, or an entry of the archive, of the normalized name."""
    language, dot, charset = name.partition(".")
    normal = f"{language}.{''.join(one for one in charset.lower() if one.isalnum())}" if dot else language
    if any((root / _LOCALES / one / "LC_CTYPE").exists() for one in (name, normal)):
        return True
    archive = root / _LOCALES / "locale-archive"
    if not archive.is_file() or not archive.stat().st_size:
        return False
    with archive.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(b"\0" + normal.encode() + b"\0") >= 0


def _keymap(root: Path, name: str) -> Iterator[str]:
    if not name:
        return
    maps = {one.partition(".map")[0] for one in _named_below(root, _KEYMAPS)}
    layouts = set(_named_below(root, _SYMBOLS))
    if not maps | layouts:
        yield f"keymap: {name} has no effect, as the image has no keymaps: add console-setup or kbd"
    elif name not in maps | layouts:
        yield f"keymap: {name} has no effect, as the image has no such keymap{did_you_mean(name, maps | layouts)}"


def _named_below(root: Path, places: Sequence[str]) -> Iterator[str]:
    for place in places:
        for _, _, files in os.walk(root / place):
            yield from files


def check_time_zone(root: Path, zone: str) -> None:
    """Raise OicError for a time zone that the image does not have."""
    place = root / _ZONES
    if (place / zone).is_file():
        return
    there = [os.path.relpath(os.path.join(at, name), place) for at, _, names in os.walk(place) for name in names]
    near = did_you_mean(zone, there)
    hint = None if near else "add the package tzdata" if not there else "the name is one such as Europe/Berlin"
    raise OicError(f"timezone: expected a time zone that the image has, found {zone}{near}", hint=hint)


def check_units(root: Path, services: Services) -> list[str]:
    """Raise OicError that names every unit to enable or disable that is not there; return a note on each to mask."""
    there = {name for place in _UNITS for name in _entries(root / place)}
    there |= {f"{name}.service" for name in _entries(root / "etc/init.d")}
    missing = [
        f"services.{key}: expected a unit of the image, found no {unit}{_near_unit(unit, there)}"
        for key, units in (("enable", services.enable), ("disable", services.disable))
        for unit in units
        if there and not _is_unit(unit, there)
    ]
    if missing:
        raise OicError("\n".join(missing))
    idle = [unit for unit in services.mask if there and not _is_unit(unit, there)]
    return [f"services.mask: no effect, as the image has no {unit}{_near_unit(unit, there)}" for unit in idle]


def _near_unit(name: str, there: Collection[str]) -> str:
    """Return a unit of the same type with a near name, else what to do."""
    stem, dot, kind = name.rpartition(".")
    ending = f"{dot}{kind}"
    same = [one.removesuffix(ending) for one in there if one.endswith(ending)]
    near = did_you_mean(stem, same, ending=ending) if same else did_you_mean(name, there)
    return near or "; add the package that has it"


def _is_unit(name: str, there: set[str]) -> bool:
    stem, at, rest = name.partition("@")
    return name in there or (bool(at) and f"{stem}@.{rest.rpartition('.')[2]}" in there)


def _entries(place: Path) -> list[str]:
    try:
        return os.listdir(place)
    except (FileNotFoundError, NotADirectoryError):
        return []
