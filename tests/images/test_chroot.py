"""Programs that ask whether they run in a chroot get the answer in a build that they get in a plain one.

The plain one is chroot(8) over the same tree, in user, mount and pid namespaces of its own, all capabilities kept.
"""

from __future__ import annotations

import dataclasses
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from oic.chroot import layers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Built

pytestmark = pytest.mark.mirror

ASKING = {
    "edge": (
        "systemctl start x",
        "systemctl restart ssh.service",
        "systemctl daemon-reload",
        "systemctl is-enabled ssh.service",
        "systemd-detect-virt --chroot",
        "ischroot",
        "ischroot --default-false",
        "udevadm trigger",
        "udevadm control --reload",
        "deb-systemd-invoke start ssh.service",
        "invoke-rc.d --skip-systemd-native ssh status",
        "test -d /run/systemd/system",
    ),
    "azl3-minimal": (
        "systemctl start chronyd.service",
        "systemctl stop dm-event.socket",
        "systemctl daemon-reexec",
        "systemctl is-enabled chronyd.service",
        "systemd-detect-virt --chroot",
        "udevadm trigger",
        "udevadm control --reload-rules",
        "test -d /run/systemd/system",
    ),
}

PLAIN = """
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
chroot "$1" /bin/sh -c "($2) 2>&1"
exit $?
"""


def in_a_plain_chroot(image: Built, command: str, place: Path) -> tuple[int, str]:
    """Return exit status and output of a command; the shell that starts chroot stays process 1, outside of it."""
    trees = [layers.read(image.place / "cache" / layer["place"]).tree for layer in image.json("system.json")["layers"]]
    for name in ("upper", "work", "root"):
        (place / name).mkdir(parents=True)
    below = ":".join(str(tree) for tree in reversed(trees))
    options = f"userxattr,lowerdir={below},upperdir={place / 'upper'},workdir={place / 'work'}"
    mounted = f"mount -t overlay overlay -o {options} {place / 'root'}; {PLAIN}"
    argv = ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "sh", "-c", mounted, "sh"]
    argv += [str(place / "root"), command]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("name", "command"), [(name, command) for name in ASKING for command in ASKING[name]])
def test_a_build_answers_as_a_plain_chroot(
    built: Callable[[str], Built], tmp_path: Path, name: str, command: str
) -> None:
    image = built(name)
    ours = image.inside("sh", "-c", f"({command}) 2>&1; echo status $?")
    status, said = in_a_plain_chroot(image, command, tmp_path)
    assert ours == f"{said}status {status}\n"


COMMANDS = {
    "edge": ["systemctl start x", "ischroot", "systemd-detect-virt --chroot"],
    "azl3-minimal": ["systemctl start x", "systemd-detect-virt --chroot"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_of_a_recipe_are_told_that_they_are_in_a_chroot(built: Callable[[str], Built], name: str) -> None:
    image = built(name)
    recipe = yaml.safe_load(image.recipe.read_text())
    recipe.setdefault("systemConfig", {})["configurations"] = [{"cmd": command} for command in COMMANDS[name]]
    other = dataclasses.replace(image, name=f"{name}-chroot")
    other.recipe.write_text(yaml.safe_dump(recipe))
    other.doit("system")
    log = "".join(file.read_text() for file in sorted((other.directory / "log").glob("command-*.log")))
    assert "Running in chroot, ignoring command 'start'" in log
