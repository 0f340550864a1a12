"""What packages draw or tell while they are installed, and each machine is to have of its own: made at its first boot.

* Such files are removed from the image where its own programs can make them anew. Where these are not there the files
  stay: what cannot be made again would be missing.
* What the packages do is said here in the words of a unit; see their scripts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstBoot:
    """One unit: the globs of its `files` in the tree, the `programs` it needs, and its `commands`, systemd.service(5).

    It runs while one of the files is missing, before the units named. A distribution's own unit, a glob, is left to do
    it instead. A command makes only what is not there.
    """

    name: str
    description: str
    files: tuple[str, ...]
    programs: tuple[str, ...]
    commands: tuple[str, ...]
    before: tuple[str, ...] = ()
    own_unit: str = ""


def missing(path: str, command: str) -> str:
    """Return the command that makes a file which is missing or empty."""
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
"""Of both families."""
