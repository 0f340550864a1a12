"""What changed in a stage's slice, in the words of the recipe: ``hostname one → two``, ``package jq added``.

A slice's own names are turned into key paths of the recipe, by which a line of it can be found. What is secret, or too
long to be read, is only said to have changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oic.config.sizes import SECTOR, shown_size
from oic.errors import one_line
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_MAX_VALUE = 60
_SYSTEM, _PARTITIONS = "systemConfig", ("disk", "partitions")
_IMAGE, _REPOSITORIES = ("image",), ("packageRepositories",)
_IMMUTABILITY = (_SYSTEM, "immutability")
_PLACES: dict[str, tuple[str, ...]] = {
    "solve.request.sets.image.names": (_SYSTEM, "packages"),
    "solve.request.sets.image.repositories": _REPOSITORIES,
    "solve.request.recommends": (_SYSTEM, "recommends"),
    "solve.request.repositories": ("target", "repositories"),
    "solve.excluded": (_SYSTEM, "excludePackages"),
    "solve.repositories": _REPOSITORIES,
    "collect.repositories": _REPOSITORIES,
    "metadata.repositories": _REPOSITORIES,
    "verify.repositories": _REPOSITORIES,
    "verify.kept": ("lock",),
    "download.kept": ("lock",),
    "rootfs.mayFail": (_SYSTEM, "scriptletsMayFail"),
    "system.files": (_SYSTEM, "additionalFiles"),
    "system.commands": (_SYSTEM, "configurations"),
    "system.packageSources": (_SYSTEM, "packageSources"),
    "system.mounts": _PARTITIONS,
    "system.esp": _PARTITIONS,
    "system": (_SYSTEM,),
    "initrd.modules": (_SYSTEM, "kernel", "enableExtraModules"),
    "fs.partitions": _PARTITIONS,
    "fs.mountPoints": _PARTITIONS,
    "boot.commandLine": (_SYSTEM, "kernel", "cmdline"),
    "boot.method": (_SYSTEM, "bootloader", "provider"),
    "boot.place": (_SYSTEM, "bootloader"),
    "boot.name": _IMAGE,
    "boot.toSign": _IMMUTABILITY,
    "sign.esp": _PARTITIONS,
    "sign.file": _IMAGE,
    "sign.token": (*_IMMUTABILITY, "secureBootDBKey"),
    "sign.elsewhere": (*_IMMUTABILITY, "signing"),
    "sign": (*_IMMUTABILITY, "secureBootDBCrt"),
    "boot": _PARTITIONS,
    "disk.layout.size": ("disk", "size"),
    "disk.layout.partitions": _PARTITIONS,
    "disk.layout": ("disk",),
    "disk.file": _IMAGE,
    "convert.conversions": ("disk", "artifacts"),
    "convert.layout": ("disk",),
    "archive.archives": ("disk", "artifacts"),
    "evidence.image": _IMAGE,
    "evidence.target": ("target",),
    "evidence.file": _IMAGE,
    "evidence.networkCommands": (_SYSTEM, "configurations"),
    "evidence.outsideFiles": (_SYSTEM, "additionalFiles"),
}
"""From the path of a field, stage first, to where the recipe has it; the longest that fits counts."""

_ITEMS = {
    "users": ("user", "name"),
    "files": ("file", "final"),
    "commands": ("command", "cmd"),
    "interfaces": ("interface", "name"),
    "partitions": ("partition", "id"),
    "repositories": ("repository", "name"),
    "mounts": ("mount point", "at"),
    "conversions": ("artefact", "file"),
    "archives": ("artefact", "file"),
    "keys": ("key", "source"),
    "packageFiles": ("package file", "name"),
}
"""Lists of mappings: what an entry is, and the key that tells it from the others."""
_WORDS = {"names": "package", "modules": "module", "excluded": "excluded package", "mountPoints": "mount point"}
_UNSAID = frozenset({"password", "certificate", "content", "sha256", "digest"})
_DERIVED = frozenset({"volumeId", "device"})
_BY_NAME = frozenset({"packageSources", "sets"})
"""Mappings whose keys are names; those of any other are the same until oic changes."""
_SECTORS = frozenset({"start", "sectors"})


class Change(Value):
    """A change: in words, and the keys and entries that lead to it in the recipe."""

    text: str
    place: tuple[str, ...] = ()


_IDENTIFIERS = Change(text="the image's identifiers, which come of its name and version", place=_IMAGE)
_OF_MANIFEST = Change(text="what the manifest says of the recipe")
_OF_OIC = Change(text="oic itself is another version")
_FOLLOWING = (_IDENTIFIERS, _OF_MANIFEST)
"""What follows from another change, mostly."""


def changes(stage: str, old: Any, new: Any) -> list[Change]:
    """Return the changes of a slice, without those that only follow from another of them; some where it changed."""
    found = [change for change in _of(old, new, (stage,), "") if change.text]
    if old != new and not found:  # in an entry of a list that has the same name as another
        return [Change(text="what it reads of the recipe changed")]
    told = [change for change in found if change not in _FOLLOWING]
    return list(dict.fromkeys(told or found[:1]))


def _of(old: Any, new: Any, path: tuple[str, ...], entry: str) -> Iterator[Change]:
    """Yield what changed at a path of the slice; `entry` is the list's entry that it is in, ``user ann``."""
    if isinstance(old, dict) and isinstance(new, dict):
        if old.keys() != new.keys() and path[-1] not in _BY_NAME:
            yield _OF_OIC
        keys = {*old, *new} if path[-1] in _BY_NAME else old.keys() & new.keys()
        for key in sorted(key for key in keys if old.get(key) != new.get(key)):
            yield from _of(old.get(key), new.get(key), (*path, key), entry)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _of_list(old, new, path, entry)
    elif old != new and (path[-1].lower().endswith("uuid") or path[-1] in _DERIVED):
        yield _IDENTIFIERS
    elif old != new and path == ("evidence", "recipe"):
        yield _OF_MANIFEST
    elif old != new:
        yield Change(text=_sentence(old, new, path, entry), place=_place(path))


def _of_list(old: Sequence[Any], new: Sequence[Any], path: tuple[str, ...], entry: str) -> Iterator[Change]:
    noun, key = _ITEMS.get(path[-1], (_WORDS.get(path[-1]) or _label(path), ""))
    if path[-2:] == ("tools", "names"):
        noun = "tool"
    before, after = _keyed(old, key), _keyed(new, key)
    prefix = f"{entry}: " if entry else ""
    for name in sorted({*before, *after}):
        shown = f"{noun} {_value(name)}"
        if name not in before or name not in after:
            text = f"{prefix}{shown} {'added' if name in after else 'removed'}"
            yield Change(text=text, place=(*_place(path), name))
        else:
            yield from _of(before[name], after[name], (*path, name), prefix + shown)
    if list(before) != list(after) and sorted(before) == sorted(after):
        yield Change(text=f"{prefix}order of {_label(path)}", place=_place(path))


def _keyed(items: Sequence[Any], key: str) -> Mapping[str, Any]:
    return {str(item.get(key, "")) if isinstance(item, dict) else str(item): item for item in items}


def _sentence(old: Any, new: Any, path: tuple[str, ...], entry: str) -> str:
    key = path[-1]
    label = _label(path)
    said = f"{entry}: {label}" if entry else label
    if key == "password" and _salt(old) != _salt(new):
        return f"{said} or its salt changed"
    if key in _UNSAID or isinstance(old, dict | list) or isinstance(new, dict | list):
        return f"{said} changed"
    if key in _SECTORS:
        old, new = (value * SECTOR if isinstance(value, int) else value for value in (old, new))
    if key in _SECTORS or key == "size":
        old, new = (shown_size(value) if isinstance(value, int) else value for value in (old, new))
    return f"{said} {_value(old)} → {_value(new)}"


def _salt(hashed: Any) -> str:
    """Return what stands before the hash; an image's name and version decide it where the password is plain."""
    return str(hashed or "").rpartition("$")[0]


def _label(path: tuple[str, ...]) -> str:
    """Return a field's name: its key path in the recipe, but for what every recipe has before it."""
    if path[:2] == ("boot", "esp"):
        return f"{path[-1]} of the EFI system partition"
    if any(step in _ITEMS for step in path[:-1]):
        return "size" if path[-1] == "sectors" else path[-1]
    place = [step for step in _place(path) if step != _SYSTEM]
    return ".".join(place) or path[-1]


def _place(path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the keys and entries by which the recipe has what is at a path of the slice."""
    for length in range(len(path), 0, -1):
        if (known := _PLACES.get(".".join(path[:length]))) is not None:
            return (*known, *path[length:])
    return ()


def _value(value: Any) -> str:
    if value in (None, ""):
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else one_line(str(value))
    return text if len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 1]}…"
