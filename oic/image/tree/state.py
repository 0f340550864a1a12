"""What can be written where the root is only read: a module of dracut that mounts it in the initramfs. Pure.

::

    partition of the state, or memory ─┬─ .state/etc, an overlay ──────> /etc
                                       └─ .state/var, a copy, bound ───> /var      (the other directories alike)

* It is mounted before systemd of the image starts, which reads units and the machine id in /etc.
* A directory is copied from the verified root when it is not there yet: at the first boot, and after a factory reset.
  An interrupted copy is made anew.
* /etc is an overlay, so that a file that nobody changed is that of the root. The others are no overlays: programs that
  make overlays of their own, such as container engines, cannot have them on one. In memory all are overlays, since a
  copy would take the memory.
* The directory of the state is closed to all but root: the upper side of an overlay must not be changed beside it.
* With a file ``.state/factory-reset``, the next boot puts the state aside and removes it.

Formats: dracut.modules(7), dracut.conf(5), systemd.unit(5); Linux Documentation/filesystems/overlayfs.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from oic.image.tree.grow import unit_name
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

DIRECTORIES = ("/var", "/home", "/root", "/srv")
"""What is copied; a partition of its own takes the place of one."""
RESET = "factory-reset"
_NAME = "read-only-root"
_MODULE = f"usr/lib/dracut/modules.d/90{_NAME}"
_CONFIGURATION = "usr/lib/dracut/dracut.conf.d/10-read-only-root.conf"
_PROGRAM = f"/usr/lib/{_NAME}/mount-state"
_TOOLS = ("mount", "mkdir", "cp", "mv", "rm", "sync", "chmod")


class State(Value):
    """What can be written: /etc, and `directories`, kept on the partition `part_uuid`, or, without one, in memory.

    The partition's file system is of `type`, mounted `at` a path with `options`. `drivers` are the kernel modules that
    root and state need.
    """

    part_uuid: str
    at: str
    type: str
    options: str
    directories: tuple[str, ...]
    drivers: tuple[str, ...]


def files_of(state: State) -> Iterator[tuple[str, str]]:
    """Yield path and text of the files that only dracut sees: its configuration and a module."""
    modules = f'add_dracutmodules+=" systemd systemd-veritysetup {_NAME} "\n'
    yield _CONFIGURATION, f'{modules}add_drivers+=" {" ".join(("dm-verity", *state.drivers))} "\n'
    yield f"{_MODULE}/module-setup.sh", _setup()
    yield f"{_MODULE}/mount-state", program_text(state)
    yield f"{_MODULE}/{_NAME}.service", unit_text(state)
    yield f"{_MODULE}/no-fsck-root.conf", _NO_CHECK


_CHECK = "/usr/lib/systemd/system/systemd-fsck-root.service"
_NO_CHECK = """# dm-verity checks each block of the root, and fsck cannot open it.
[Unit]
ConditionPathExists=!/dev/mapper/root
"""


def _setup() -> str:
    return f"""#!/bin/bash
check() {{ return 255; }}
depends() {{ echo systemd; }}
install() {{
    inst_multiple {" ".join(_TOOLS)}
    inst_multiple -o fsck fsck.ext4 fsck.btrfs e2fsck
    inst_simple "$moddir/mount-state" {_PROGRAM}
    chmod 755 "$initdir{_PROGRAM}"
    inst_simple "$moddir/{_NAME}.service" "/usr/lib/systemd/system/{_NAME}.service"
    inst_simple "$moddir/no-fsck-root.conf" {_CHECK}.d/no-fsck-root.conf
    mkdir -p "$initdir/usr/lib/systemd/system/initrd.target.requires"
    ln -sf ../{_NAME}.service "$initdir/usr/lib/systemd/system/initrd.target.requires/{_NAME}.service"
}}
"""


def unit_text(state: State) -> str:
    """Return the unit that mounts the state, once the root is mounted and before its fstab(5) is read."""
    after, wants = ["initrd-root-fs.target"], ""
    if state.part_uuid:
        device = f"dev-disk-by\\x2dpartuuid-{unit_name(state.part_uuid)}"
        after += [f"{device}.device", f"systemd-fsck@{device}.service"]
        wants = f"Requires={device}.device\nWants=systemd-fsck@{device}.service\n"
    return f"""[Unit]
Description=Mount what can be written over the read-only root
DefaultDependencies=no
ConditionPathExists=/etc/initrd-release
Requires=initrd-root-fs.target
{wants}After={" ".join(after)}
Before=initrd-parse-etc.service initrd.target
OnFailure=emergency.target
OnFailureJobMode=replace-irreversibly

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={_PROGRAM}
"""


def program_text(state: State) -> str:
    """Return the program that the unit runs, in sh(1)."""
    return "\n".join([_HEAD, *_mounted(state), _RESET, *_directories(state), *_overlay("/etc")]) + "\n"


_HEAD = """#!/bin/sh
set -eu
root=/sysroot
"""
_RESET = f"""
chmod 700 "$state"
if [ -e "$state/{RESET}" ]; then
    echo "factory reset: what was written is removed"
    rm -rf "$state.old"
    mv "$state" "$state.old"
    mkdir -m 700 "$state"
fi
rm -rf "$state.old"
"""


def _mounted(state: State) -> Iterator[str]:
    if not state.part_uuid:
        yield "state=/run/state"
        yield 'mkdir -p "$state"'
        yield 'mount -t tmpfs -o mode=0700,nosuid,nodev state "$state"'
        return
    options = ",".join(word for word in state.options.split(",") if not word.startswith("x-")) or "defaults"
    device = f"/dev/disk/by-partuuid/{state.part_uuid}"
    yield f'mount -t {state.type} -o {shlex.quote(options)} {device} "$root"{shlex.quote(state.at)}'
    yield f'state="$root"{shlex.quote(f"{state.at}/.state")}'
    yield 'mkdir -p "$state"'


def _directories(state: State) -> Iterator[str]:
    for path in state.directories:
        if not state.part_uuid:
            yield from _overlay(path)
            continue
        name = shlex.quote(path)
        yield f'if [ ! -d "$state"{name} ]; then'
        yield f'    rm -rf "$state"{name}.new'
        yield f'    cp -a "$root"{name} "$state"{name}.new'
        yield "    sync"
        yield f'    mv "$state"{name}.new "$state"{name}'
        yield "fi"
        yield f'mount --bind "$state"{name} "$root"{name}'


def _overlay(path: str) -> Iterator[str]:
    upper, work = f'"$state"{path}/upper', f'"$state"{path}/work'
    yield f"mkdir -p {upper} {work}"
    yield f'options="lowerdir=$root{path},upperdir=$state{path}/upper,workdir=$state{path}/work"'
    yield f'mount -t overlay -o "$options" overlay "$root{path}"'
