"""What the answers change in an installed system: hostname(5), hosts(5), users, network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .accounts import set_user
from .network import set_network
from .tree import read_text, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from .answers import Answers

_OWN = "127.0.1.1"
"""The address that the build gives the machine's own name in hosts(5)."""


def personalise(root: Path, answers: Answers) -> None:
    """Apply the answers to a system that is mounted; raises InstallError."""
    if answers.hostname:
        _set_hostname(root, answers.hostname)
    for user in answers.users:
        set_user(root, user)
    if answers.interfaces:
        set_network(root, answers.interfaces)


def _set_hostname(root: Path, name: str) -> None:
    write_text(root, "/etc/hostname", f"{name}\n")
    hosts = read_text(root, "/etc/hosts")
    if hosts:
        write_text(root, "/etc/hosts", "".join(_hosts_line(line, name) for line in hosts.splitlines(keepends=True)))


def _hosts_line(line: str, name: str) -> str:
    if line.split()[:1] != [_OWN]:
        return line
    short = name.partition(".")[0]
    return f"{_OWN}\t{name if short == name else f'{name} {short}'}\n"
