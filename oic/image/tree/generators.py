"""Initramfs generators: their programs, the files they read, and their command lines.

* A generator sees the layers of packages and, of the configuration layer, only the paths that it is known to read, so
  other changes cannot change its result. If the configuration has hooks, which may read anything, it sees all of it.
* The result does not depend on the building machine: not on its hardware, its resume device or its host name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from oic.chroot.tree import glob_in
from oic.errors import OicError
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from oic.process.run import Output


class Reader(Protocol):
    """Runs programs of the image for their output."""

    def run(self, argv: Sequence[str]) -> Output:
        """Run a program and wait until it ends; raises ToolError when it fails."""


class Generator(Value):
    """A program that creates an initramfs.

    `argv` contains ``{output}`` and ``{version}``.
    `reads` are globs of files that it reads of a configuration. If a file matches `hooks`, it may read anything.
    `defaults` are pairs of path and text: files that only the generator sees and that the image's own override.
    `modules_file` is the file of its configuration that names extra modules, in the form `modules_text`, which contains
    ``{modules}``, with `separator` between them.
    `known` is a directory where it keeps, in a file named after each kernel, the sha1 of its initramfs.
    """

    program: str
    argv: tuple[str, ...]
    reads: tuple[str, ...]
    hooks: tuple[str, ...]
    modules_file: str
    modules_text: str
    separator: str
    defaults: tuple[tuple[str, str], ...] = ()
    known: str = ""


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
            *("--kver", "{version}", "{output}"),
        ),
        reads=(*_COMMON, "etc/dracut.conf", "etc/dracut.conf.d", "etc/sysctl.d", "etc/locale.conf"),
        hooks=("etc/dracut.conf", "etc/dracut.conf.d/*", "usr/lib/dracut/modules.d/*"),
        modules_file="etc/dracut.conf.d/90-image.conf",
        modules_text='force_drivers+=" {modules} "\n',
        separator=" ",
        # dracut's own gzip -9 takes five times as long as -6 and saves one per cent
        defaults=(("usr/lib/dracut/dracut.conf.d/00-compress.conf", 'compress="${compress:-gzip -n -6}"\n'),),
    ),
    "initramfs-tools": Generator(
        program="usr/sbin/mkinitramfs",
        argv=("mkinitramfs", "-o", "{output}", "{version}"),
        reads=(*_COMMON, "etc/initramfs-tools", "etc/kernel"),
        hooks=("etc/initramfs-tools/hooks/*", "usr/share/initramfs-tools/hooks/*", "etc/initramfs-tools/scripts/*/*"),
        modules_file="etc/initramfs-tools/modules",
        modules_text="{modules}\n",
        separator="\n",
        known="var/lib/initramfs-tools",
    ),
}


def generator_of(root: Path) -> str:
    """Return the name of the image's generator; raises OicError for none. Runs with the tree as its root."""
    for name, generator in GENERATORS.items():
        if (root / generator.program).exists():
            return name
    wanted = " or ".join(GENERATORS)
    raise OicError(f"expected an initramfs generator among the image's packages, found none: add {wanted}")


def paths_read(layer: Path, name: str) -> tuple[str, ...]:
    """Return the paths of a configuration layer that the generator reads. Runs with the layer as its root."""
    generator = GENERATORS[name]
    return glob_in(layer, (*generator.reads, *generator.hooks))


def has_hooks(reads: Sequence[str], name: str) -> bool:
    """Tell whether the configuration has hooks, which may read anything."""
    stems = [pattern.rstrip("/*") for pattern in GENERATORS[name].hooks]
    return any(path == stem or path.startswith(f"{stem}/") for path in reads for stem in stems)


def missing_modules(version: str, modules: Sequence[str], tools: Reader) -> list[str]:
    """Return the modules that the image's modprobe finds neither as files nor built into the kernel.

    dracut leaves out all extra modules if one is missing, and says so only in its log.
    """
    return tools.run(["sh", "-c", _MISSING_MODULES, "sh", version, *modules]).text.split() if modules else []


_MISSING_MODULES = """command -v modprobe > /dev/null || exit 0
version=$1
shift
for name in "$@"; do modprobe -S "$version" -D "$name" > /dev/null 2>&1 || echo "$name"; done"""


def command(name: str, version: str, output: str) -> list[str]:
    """Return the generator's command line."""
    return [word.format(output=output, version=version) for word in GENERATORS[name].argv]


def modules_setting(name: str, modules: Sequence[str]) -> dict[str, str]:
    """Return what is added to which file of the generator's configuration, for extra modules; empty for none."""
    generator = GENERATORS[name]
    text = generator.modules_text.format(modules=generator.separator.join(modules))
    return {generator.modules_file: text} if modules else {}


def with_added(root: Path, added: Mapping[str, str]) -> dict[str, bytes]:
    """Return the files of a tree with lines added at their ends. Runs with the tree as its root."""
    files = {}
    for name, text in added.items():
        own = (root / name).read_bytes() if (root / name).is_file() else b""
        ended = own if own.endswith(b"\n") or not own else own + b"\n"
        files[name] = ended + text.encode()
    return files
