"""Write dpkg's database as dpkg does when it unpacks packages (dpkg 1.21, ``/var/lib/dpkg``, format 1).

::

    status                 a stanza for each package: its control file, its Status, its Conffiles
    info/<name>[:<arch>].* its control files and .list; the architecture only for Multi-Arch: same
    triggers/File          lines of <path> <package>: file triggers that a package is interested in
    triggers/<name>        lines of <package>: packages that are interested in this named trigger
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.deb822 import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from oic.provider.deb.unpack import Unpacked

_NOT_INFO = {"control", "list"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A line of a package's triggers file: deb-triggers(5)."""

    directive: str
    name: str

    @property
    def interest(self) -> bool:
        """Whether the package is interested in the trigger, and does not activate it."""
        return self.directive.startswith("interest")


def control_text(unpacked: Unpacked) -> str:
    """Return the control file of a package as text."""
    return unpacked.control["control"].content.decode("utf-8", "surrogateescape")


def info_name(fields: dict[str, str]) -> str:
    """Return how the names of a package's files in ``info/`` begin."""
    same = fields.get("multi-arch") == "same"
    return f"{fields['package']}:{fields['architecture']}" if same else fields["package"]


def triggers_of(unpacked: Unpacked) -> list[Trigger]:
    """Return a package's trigger declarations."""
    file = unpacked.control.get("triggers")
    lines = file.content.decode("utf-8", "surrogateescape").splitlines() if file else []
    words = [line.partition("#")[0].split() for line in lines]
    return [Trigger(directive=pair[0], name=pair[1]) for pair in words if len(pair) == 2]


def write_database(root: Path, packages: Sequence[Unpacked]) -> None:
    """Add unpacked packages to the database; entries of other packages stay. Runs with the tree as its root."""
    admin = root / "var/lib/dpkg"
    for directory in ("info", "triggers", "updates", "alternatives", "parts"):
        (admin / directory).mkdir(parents=True, exist_ok=True)
    (admin / "info/format").write_text("1\n", encoding="ascii")
    stanzas = []
    for unpacked in packages:
        text = control_text(unpacked)
        stem = info_name(fields_of(text))
        _write_info(unpacked, admin / "info", stem)
        _write_triggers(unpacked, admin / "triggers", stem)
        stanzas.append(_stanza(text, unpacked))
    with (admin / "status").open("a", encoding="utf-8", errors="surrogateescape") as status:
        status.write("".join(stanzas))


def _stanza(control: str, unpacked: Unpacked) -> str:
    lines = [line for line in control.split("\n") if line.strip()]
    lines.insert(1, "Status: install ok unpacked")
    if unpacked.conffiles:
        lines += ["Conffiles:", *(f" {path} {md5}" for path, md5 in unpacked.conffiles.items())]
    return "\n".join(lines) + "\n\n"


def _write_info(unpacked: Unpacked, info: Path, stem: str) -> None:
    for name, file in unpacked.control.items():
        if name not in _NOT_INFO:
            path = info / f"{stem}.{name}"
            path.write_bytes(file.content)
            path.chmod(file.mode)
            if file.time is not None:
                os.utime(path, (file.time, file.time))
    listing = "".join(f"{path}\n" for path in unpacked.paths)
    (info / f"{stem}.list").write_text(listing, encoding="utf-8", errors="surrogateescape")


def _write_triggers(unpacked: Unpacked, triggers: Path, stem: str) -> None:
    for trigger in triggers_of(unpacked):
        if not trigger.interest:
            continue
        waits = "" if trigger.directive in ("interest", "interest-await") else "/noawait"
        if trigger.name.startswith("/"):
            file, line = triggers / "File", f"{trigger.name} {stem}{waits}\n"
        else:
            file, line = triggers / trigger.name, f"{stem}{waits}\n"
        with file.open("a", encoding="utf-8") as out:
            out.write(line)


def activated(packages: Sequence[Unpacked], interests: Sequence[str]) -> list[str]:
    """Return, in order, which triggers the new packages activate; `interests` are those of configured packages."""
    directories = [name for name in interests if name.startswith("/")]
    found: dict[str, None] = {}
    for unpacked in packages:
        found.update((name, None) for name in directories if any(_below(path, name) for path in unpacked.paths))
        named = [trigger.name for trigger in triggers_of(unpacked) if not trigger.interest]
        found.update((name, None) for name in named if name in interests)
    return list(found)


def _below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory + "/")


def reserved_paths(root: Path) -> frozenset[str]:
    """Return the paths that are diverted (three lines each) or have a statoverride (``user group mode path``)."""
    admin = root / "var/lib/dpkg"
    diversions = _lines(admin / "diversions")
    overrides = (line.split(" ", 3) for line in _lines(admin / "statoverride"))
    return frozenset([*diversions[0::3], *diversions[1::3], *(words[3] for words in overrides if len(words) == 4)])


def _lines(file: Path) -> list[str]:
    return file.read_text("utf-8", "surrogateescape").splitlines() if file.exists() else []


def interests_of(root: Path) -> list[str]:
    """Return the names of all triggers that packages in the database are interested in."""
    triggers = root / "var/lib/dpkg/triggers"
    return sorted(_interests(triggers)) if triggers.is_dir() else []


def _interests(triggers: Path) -> Iterator[str]:
    for name in os.listdir(triggers):
        if name == "File":
            yield from (line.split()[0] for line in (triggers / name).read_text("utf-8").splitlines() if line.strip())
        elif name not in ("Unincorp", "Lock"):
            yield name
