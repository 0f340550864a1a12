"""Configuration files of an image: host name, hosts, fstab, time zone, locale, keymap, machine id.

`files_of` is pure. Formats: hostname(5), hosts(5), fstab(5), locale.conf(5), vconsole.conf(5), machine-id(5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from oic.image.fs import mounted_as
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Sequence


_OPTIONS = {"swap": "sw", "squashfs": "ro", "erofs": "ro"}
"""Where a recipe gives none, by the type in fstab(5); ``defaults`` for the others."""


class Mount(Value):
    """A line of fstab(5); `type` is the recipe's name of the file system."""

    device: str
    at: str
    type: str
    options: str


class Settings(Protocol):
    """The values that these files hold."""

    @property
    def hostname(self) -> str: ...  # noqa: D102
    @property
    def timezone(self) -> str: ...  # noqa: D102
    @property
    def locale(self) -> str: ...  # noqa: D102
    @property
    def keymap(self) -> str: ...  # noqa: D102
    @property
    def mounts(self) -> Sequence[Mount]: ...  # noqa: D102


def files_of(part: Settings) -> dict[str, str]:
    """Return the text of each file by its path in the image; an empty setting has no file."""
    files: dict[str, str] = {"/etc/machine-id": ""}
    if part.hostname:
        files["/etc/hostname"] = f"{part.hostname}\n"
        files["/etc/hosts"] = _hosts(part.hostname)
    if part.mounts:
        files["/etc/fstab"] = _fstab(part.mounts)
    if part.timezone:
        files["/etc/timezone"] = f"{part.timezone}\n"
    if part.locale:
        files["/etc/locale.conf"] = f"LANG={part.locale}\n"
    if part.keymap:
        files["/etc/vconsole.conf"] = f"KEYMAP={part.keymap}\n"
    return files


def extras_of(part: Settings) -> dict[str, str]:
    """Return files with the same settings that only some distributions read; others lack their directories."""
    files: dict[str, str] = {}
    if part.locale:
        files["/etc/default/locale"] = f"LANG={part.locale}\n"
    if part.keymap:
        files["/etc/default/keyboard"] = f'XKBMODEL="pc105"\nXKBLAYOUT="{part.keymap}"\n'
    return files


def _hosts(name: str) -> str:
    short = name.partition(".")[0]
    names = name if short == name else f"{name} {short}"
    return (
        "127.0.0.1\tlocalhost\n"
        f"127.0.1.1\t{names}\n"
        "::1\tlocalhost ip6-localhost ip6-loopback\n"
        "ff02::1\tip6-allnodes\n"
        "ff02::2\tip6-allrouters\n"
    )


def _fstab(mounts: Sequence[Mount]) -> str:
    lines = ["# device\tmount point\ttype\toptions\tdump\tpass\n"]
    for mount in sorted(mounts, key=lambda mount: (mount.at.count("/"), mount.at)):
        kind = mounted_as(mount.type)
        at = "none" if kind == "swap" else mount.at.replace("\\", "\\134").replace(" ", "\\040")
        options = mount.options or _OPTIONS.get(kind, "defaults")
        order = 1 if mount.at == "/" else 2 if kind.startswith("ext") else 0
        if "ro" in options.split(","):
            order = 0  # nothing has written to it, and fsck cannot open a root that dm-verity protects
        lines.append(f"{mount.device}\t{at}\t{kind}\t{options}\t0\t{order}\n")
    return "".join(lines)
