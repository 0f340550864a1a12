"""Passwords and keys of users in an installed system: passwd(5), shadow(5), sshd(8).

A user that the system lacks is added by its own useradd(8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .door import run
from .errors import InstallError
from .tree import inside, make_folder, read_text, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from .answers import User

_MAX_ID = (1 << 32) - 2
_SHELLS = ("/bin/bash", "/bin/sh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A line of passwd(5), as far as it is needed here."""

    uid: int
    gid: int
    home: str


def set_user(root: Path, user: User) -> None:
    """Give a user the password and the keys that the answers have."""
    account = account_of(root, user.name) or _added(root, user.name)
    if user.password:
        _set_password(root, user)
    if user.keys:
        owner = (account.uid, account.gid)
        folder = f"{account.home}/.ssh"
        make_folder(root, account.home, mode=0o700, owner=owner)
        make_folder(root, folder, mode=0o700, owner=owner)
        text = "".join(f"{key}\n" for key in user.keys)
        inside(root, f"{folder}/authorized_keys").unlink(missing_ok=True)
        write_text(root, f"{folder}/authorized_keys", text, mode=0o600, owner=owner)


def account_of(root: Path, name: str) -> Account | None:
    """Return a user's account, or None if the system lacks it; raises InstallError if its line is damaged."""
    for line in read_text(root, "/etc/passwd").splitlines():
        fields = line.split(":")
        if fields[0] == name:
            if len(fields) != 7 or not (_is_id(fields[2]) and _is_id(fields[3]) and fields[5].startswith("/")):
                raise InstallError(f"expected ids and a home of {name} in the system's /etc/passwd, found neither")
            return Account(uid=int(fields[2]), gid=int(fields[3]), home=fields[5])
    return None


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) <= _MAX_ID


def _added(root: Path, name: str) -> Account:
    if not any(inside(root, path).is_file() for path in ("/usr/sbin/useradd", "/sbin/useradd")):
        hint = "name a user that the recipe has, or add the package with useradd to it"
        raise InstallError(f"expected the user {name} in the system, or useradd to add it, found neither", hint=hint)
    shell = next((path for path in _SHELLS if inside(root, path).is_file()), _SHELLS[-1])
    run(["chroot", str(root), "useradd", "--create-home", "--shell", shell, name])
    account = account_of(root, name)
    if account is None:
        raise InstallError(f"expected useradd to add the user {name}, found none in /etc/passwd")
    return account


def _set_password(root: Path, user: User) -> None:
    """Replace the second field of a line of shadow(5), where a hash of crypt(5) stands."""
    lines = read_text(root, "/etc/shadow").splitlines()
    found = False
    for at, line in enumerate(lines):
        fields = line.split(":")
        if fields[0] == user.name and len(fields) > 1:
            lines[at] = ":".join([fields[0], user.password, *fields[2:]])
            found = True
    if not found:
        lines.append(f"{user.name}:{user.password}:::::::")
    write_text(root, "/etc/shadow", "".join(f"{line}\n" for line in lines), mode=0o600)
