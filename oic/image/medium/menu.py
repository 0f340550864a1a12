"""The menu of a medium, for GRUB by UEFI and by BIOS. Pure.

The same text is read from the medium by both. The first entry starts after `SECONDS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.image.boot.grub.menu import quoted, terminal_lines, words_of
from oic.image.medium import DIRECTORY, MARKER, MODE
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS = 5
KERNEL, INITRAMFS, MENU = "boot/vmlinuz", "boot/initramfs.img", "boot/grub/grub.cfg"
"""Paths on the medium."""
_TITLES = {"unattended": "Install {title}", "live": "Run {title} without installing it", "": "Start {title}"}
_LOCAL = """menuentry 'Boot from the local disk' {
	if [ "$grub_platform" = pc ]; then
		if regexp '^hd0' "$root"; then set root=hd1; else set root=hd0; fi
		chainloader +1
	else
		exit
	fi
}
"""


class Entry(Value):
    """What the menu offers: a mode, and the command line of the kernel."""

    mode: str
    command_line: str


def menu_text(title: str, entries: Sequence[Entry], marker: str) -> str:
    """Return the grub.cfg of a medium that has the file `marker`; what it offers first starts by itself."""
    lines = ["set default=0", f"set timeout={SECONDS}"]
    serial = terminal_lines(entries[0].command_line)
    lines += ['if [ "$grub_platform" = pc ]; then', *(f"\t{line}" for line in serial), "fi"] if serial else []
    shown = [(_TITLES[entry.mode].format(title=title), entry.mode, entry.command_line) for entry in entries]
    for name, mode, command_line in (*shown, ("Debug: a shell in memory", "debug", entries[0].command_line)):
        own = [f"{MARKER}={marker}", *([f"{MODE}={mode}"] if mode else [])]
        told = " ".join(map(quoted, [*words_of(command_line), *own]))
        lines += [f"menuentry {quoted(name)} {{", f"\tlinux /{KERNEL} {told}", f"\tinitrd /{INITRAMFS}", "}"]
    return "\n".join(lines) + "\n" + _LOCAL


def search_text(marker: str) -> str:
    """Return the grub.cfg that finds the medium, and reads the menu there."""
    find = f"search --no-floppy --set=root --file /{DIRECTORY}/{marker}"
    return f"{find}\nset prefix=($root)/boot/grub\nconfigfile /{MENU}\n"
