"""What initramfs generators are called, read and write.

* A generator sees the packages' layers and, of the configuration layer, only the paths it is known to read: a change
  elsewhere cannot change its result. Where a configuration has hooks of its own, which may read anything, it sees all.
* The result never holds what the building machine has: no hardware is looked at, no resume device, no host name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from oic.chroot.tree import glob_in
from oic.errors import OicError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.process.run import Output


class Reader(Protocol):
    """Programs of the image that are run for what they say."""

    def run(self, argv: Sequence[str]) -> Output:
        """Run a program to its end; raises ToolError when it fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """A program that makes an initramfs.

    `argv` has ``{output}`` and ``{version}``, and ``{modules}`` where it takes the extra modules as an argument.
    `reads` are globs of what it reads of a configuration; one of `hooks` there means that it may read anything.
    `defaults` are files, path and text, that only it sees: what it does where the image's configuration says nothing.
    """

    program: str
    argv: tuple[str, ...]
    reads: tuple[str, ...]
    hooks: tuple[str, ...]
    modules_file: str = ""
    defaults: tuple[tuple[str, str], ...] = ()


_COMMON = (
    "etc/crypttab",
    "etc/fstab",
    "etc/ld.so.conf*",
    "etc/modprobe.d",
    "etc/modules",
    "etc/modules-load.d",
    "etc/udev",
    "etc/vconsole.conf",
    "etc/default/keyboard",
    "usr/lib/firmware",
    "usr/lib/modprobe.d",
    "usr/lib/modules",
    "usr/lib/udev",
)

GENERATORS = {
    "dracut": Generator(
        program="usr/bin/dracut",
        argv=(
            *("dracut", "--force", "--no-hostonly", "--no-hostonly-cmdline", "--reproducible", "--no-early-microcode"),
            *("--kver", "{version}", "{modules}", "{output}"),
        ),
        reads=(*_COMMON, "etc/dracut.conf", "etc/dracut.conf.d", "etc/sysctl.d", "etc/locale.conf"),
        hooks=("etc/dracut.conf", "etc/dracut.conf.d/*", "usr/lib/dracut/modules.d/*"),
        # gzip -9, which dracut takes, needs five times the time of -6 for one per cent
        defaults=(("usr/lib/dracut/dracut.conf.d/00-compress.conf", 'compress="${compress:-gzip -n -6}"\n'),),
    ),
    "initramfs-tools": Generator(
        program="usr/sbin/mkinitramfs",
        argv=("mkinitramfs", "-o", "{output}", "{version}"),
        reads=(*_COMMON, "etc/initramfs-tools", "etc/kernel"),
        hooks=("etc/initramfs-tools/hooks/*", "usr/share/initramfs-tools/hooks/*", "etc/initramfs-tools/scripts/*/*"),
        modules_file="etc/initramfs-tools/modules",
    ),
}


def generator_of(root: Path) -> str:
    """Return the name of the generator the image has; raises OicError for none. Runs with the tree as its root."""
    for name, generator in GENERATORS.items():
        if (root / generator.program).exists():
            return name
    wanted = " or ".join(GENERATORS)
    raise OicError(f"expected an initramfs generator among the image's packages, found none: add {wanted}")


def paths_read(layer: Path, name: str) -> tuple[str, ...]:
    """Return each path of a configuration layer that the generator reads. Runs with the layer as its root."""
    generator = GENERATORS[name]
    return glob_in(layer, (*generator.reads, *generator.hooks))


def is_open(reads: Sequence[str], name: str) -> bool:
    """Tell whether the configuration has hooks that may read anything."""
    stems = [pattern.rstrip("/*") for pattern in GENERATORS[name].hooks]
    return any(path == stem or path.startswith(f"{stem}/") for path in reads for stem in stems)


def absent(version: str, modules: Sequence[str], tools: Reader) -> list[str]:
    """Return the modules that a kernel does not have, neither apart nor built in, as the image's own modprobe says.

    They are not the generator's to look for: dracut leaves out all the others with them, and says so in its log only.
    """
    return tools.run(["sh", "-c", _ABSENT, "sh", version, *modules]).text.split() if modules else []


_ABSENT = """command -v modprobe > /dev/null || exit 0
version=$1
shift
for name in "$@"; do modprobe -S "$version" -D "$name" > /dev/null 2>&1 || echo "$name"; done"""


def command(name: str, version: str, modules: Sequence[str], output: str) -> list[str]:
    """Return the generator's command line."""
    generator = GENERATORS[name]
    extra = ["--force-drivers", " ".join(modules)] if modules and not generator.modules_file else []
    words: list[str] = []
    for word in generator.argv:
        words += extra if word == "{modules}" else [word.format(output=output, version=version)]
    return words
