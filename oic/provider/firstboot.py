"""Files that packages generate during installation and that must differ between machines, such as SSH host keys.

* Each machine makes its own at its first boot. The image has none, if it has the programs that make them; otherwise
  the files stay in the image, because nothing could make them again.
* The commands here are those of the packages' own scripts, as a systemd unit.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstBoot:
    """One unit: globs of its `files` in the tree, the `programs` it needs, and its `commands` (systemd.service(5)).

    It runs before the named units, as long as one of the files is missing. If the distribution has such a unit itself
    (a glob) that runs in these images, none is written. A command makes only a file that is missing.
    """

    name: str
    description: str
    files: tuple[str, ...]
    programs: tuple[str, ...]
    commands: tuple[str, ...]
    before: tuple[str, ...] = ()
    own_unit: str = ""


def missing(path: str, command: str) -> str:
    """Return a command that runs `command` when the file is missing or empty."""
    return f"/bin/sh -c 'test -s {path} || {{ {command}; }}'"


COMMON = (
    FirstBoot(
        name="ssh-host-keys",
        description="Make this machine's own SSH host keys",
        files=("etc/ssh/ssh_host_*_key", "etc/ssh/ssh_host_*_key.pub"),
        programs=("usr/bin/ssh-keygen", "usr/sbin/sshd"),
        commands=("/usr/bin/ssh-keygen -A",),
        before=("ssh.service", "ssh.socket", "sshd.service"),
        own_unit="usr/lib/systemd/system/ssh*keygen*.service",
    ),
    FirstBoot(
        name="nvme-host-id",
        description="Make this machine's own NVMe host name and id",
        files=("etc/nvme/hostnqn", "etc/nvme/hostid"),
        programs=("usr/sbin/nvme", "usr/bin/uuidgen"),
        commands=(
            missing("/etc/nvme/hostnqn", "umask 022; nvme gen-hostnqn > /etc/nvme/hostnqn"),
            missing("/etc/nvme/hostid", "umask 022; uuidgen > /etc/nvme/hostid"),
        ),
        before=("nvmf-autoconnect.service", "nvmefc-boot-connections.service"),
    ),
)
"""What packages of both families generate."""
