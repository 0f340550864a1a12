"""The image's repository files, ``/etc/yum.repos.d/*.repo``: they enable the repositories that it was built from.

* For a repository in a package's file, only ``enabled`` changes: on if the image was built from it and is to know it,
  off if it is another one of the distribution's. Repositories not named in the distribution's data stay as they are.
* Repositories without such a file are written to ``image.repo``.

The format is that of dnf.conf(5): a line that begins with white space continues the one above, the last of several
values counts, and a value that is neither yes nor no is ignored.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oic.provider.armor import as_armor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from oic.ospackage.lock import LockedRepository
    from oic.provider.told import ToldRepository

PLACE = "etc/yum.repos.d"
_BASE = 500
_DEFAULT = 50
"""tdnf's default (common/config.h); that of dnf is 99, so a lower number than this comes first in both."""
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_SECTION = re.compile(r"\[([^]]+)\]")
_ENABLED = re.compile(r"enabled\s*=(.*)")
_PRIORITY = re.compile(r"priority\s*=\s*(-?\d{1,9})\s*$")
_WORDS = {"1": True, "yes": True, "true": True, "on": True, "0": False, "no": False, "false": False, "off": False}


def sources(root: Path, repositories: Sequence[LockedRepository], keys: Mapping[str, str]) -> dict[str, str]:
    """Return new and changed repository files; see `oic.provider.protocol.Provider.sources`."""
    built_from = {entry.name for entry in repositories if keys.get(entry.name)}
    files: dict[str, str] = {}
    configured: set[str] = set()
    for path in _files(root):
        text = path.read_text("utf-8", "surrogateescape")
        configured.update(match[1] for line in _LINE.findall(text) if (match := _SECTION.match(line)))
        changed = "".join(_switched(_LINE.findall(text), {name: name in built_from for name in keys}))
        if changed != text:
            files[f"/{PLACE}/{path.name}"] = changed
    stanzas = [
        f"[{entry.name}]\nname={entry.name}\nbaseurl={entry.url}\nenabled=1\ngpgcheck=1\n"
        f"repo_gpgcheck={int(bool(entry.signers))}\ngpgkey={_key_url(keys[entry.name])}\nskip_if_unavailable=1\n"
        for entry in repositories
        if keys.get(entry.name) and entry.name not in configured
    ]
    return {**files, **({f"/{PLACE}/image.repo": "\n".join(stanzas)} if stanzas else {})}


def recipe_sources(
    root: Path, told: Sequence[ToldRepository], repositories: Sequence[LockedRepository]
) -> dict[str, str]:
    """Return a file for each repository of the recipe, with its keys, its priority in dnf's sense, and what is allowed.

    A lower number comes first in dnf and tdnf. One with the base's priority has the number that the base has in its own
    file, or none, as there; one with a higher priority comes before every number of the base, and before the default.
    """
    own = {entry.name for entry in repositories} - {one.name for one in told}
    given = [number for name, number in _priorities(root).items() if name in own]
    higher = sorted({one.priority for one in told if one.priority > _BASE})
    first = min(given, default=_DEFAULT)
    numbers = {priority: first - place for place, priority in enumerate(higher, start=1)}
    return {
        f"/{PLACE}/{one.name}.repo": _stanza(one, numbers.get(one.priority, max(given, default=None))) for one in told
    }


def key_path(name: str) -> str:
    """Return where rpm of an image finds a key of a recipe's repository."""
    return f"/etc/pki/rpm-gpg/RPM-GPG-KEY-{name}"


def key_file(body: bytes, *, where: str) -> bytes:  # noqa: ARG001 - the protocol's
    """Return a key file as rpm wants it."""
    return as_armor(body)


def _priorities(root: Path) -> dict[str, int]:
    """Return the priorities that repository files of packages give, by repository."""
    found: dict[str, int] = {}
    for path in _files(root):
        name = ""
        for line in _LINE.findall(path.read_text("utf-8", "surrogateescape")):
            if match := _SECTION.match(line):
                name = match[1]
            elif match := _PRIORITY.match(line):
                found[name] = int(match[1])
    return found


def _files(root: Path) -> list[Path]:
    return [path for path in sorted((root / PLACE).glob("*.repo")) if path.is_file() and not path.is_symlink()]


def _stanza(one: ToldRepository, priority: int | None) -> str:
    # libdnf takes a mirror list for a metalink, too, where its URL has this word
    key = "metalink" if "metalink" in one.mirror_list else "mirrorlist" if one.mirror_list else "baseurl"
    lines = [f"[{one.name}]", f"name={one.name}", f"{key}={one.mirror_list or one.url}", "enabled=1"]
    lines += [f"gpgcheck={int(not one.trusted)}", f"repo_gpgcheck={int(one.signed_metadata and not one.trusted)}"]
    lines += [f"gpgkey={' '.join(_key_url(key_path(name)) for name in one.key_names())}"] if one.keys else []
    lines += [f"priority={priority}"] if priority is not None else []
    if one.allow_packages:
        versions = [f"{word}*" for word in one.allow_packages if re.search(r"-\d[^*?\[]*$", word)]
        lines.append(f"includepkgs={' '.join([*one.allow_packages, *versions])}")
    return "\n".join([*lines, "skip_if_unavailable=1", ""])


def _switched(lines: Sequence[str], on: Mapping[str, bool]) -> Iterator[str]:
    """Yield the lines of a repository file, with the repositories in `on` enabled or disabled."""
    name = ""
    for number, line in enumerate(lines):
        if match := _SECTION.match(line):
            name = match[1]
            yield line
            if name in on and not on[name] and not _says(lines[number + 1 :]):
                yield "enabled=0\n"
            continue
        match = _ENABLED.match(line)
        if match and name in on and _WORDS.get(match[1].strip().lower()) is not on[name]:
            ending = line[len(line.rstrip("\r\n")) :]
            yield f"enabled={int(on[name])}{ending}"
        else:
            yield line


def _says(lines: Sequence[str]) -> bool:
    """Tell whether the section that begins with these lines has the option."""
    for line in lines:
        if _SECTION.match(line):
            return False
        if _ENABLED.match(line):
            return True
    return False


def _key_url(key: str) -> str:
    return f"file://{key}" if key.startswith("/") else key
