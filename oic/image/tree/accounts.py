"""Adds users to an image with the image's own useradd(8), usermod(8), chpasswd(8) and chage(1)."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from oic.config.schema import did_you_mean
from oic.errors import OicError
from oic.values import parse_number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.chroot.sandbox import Sandbox
    from oic.config.model import User

_MAX_ID = (1 << 32) - 2
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_-]*")
"""What useradd(8) takes without being told to."""


def add_users(users: Sequence[User], box: Sandbox) -> None:
    """Add or change each user; raises ToolError, or OicError when the image lacks useradd."""
    if users and not box.run(["sh", "-c", "command -v useradd || true"]).text:
        raise OicError(
            "expected useradd in the image, because the recipe has users; found none",
            hint="add the package passwd (or shadow-utils)",
        )
    for user in users:
        _add_groups(user, box)
        _add_user(user, box)
        _secure(user, box)


def _names(box: Sandbox, database: str) -> set[str]:
    text = box.run(["cat", f"/etc/{database}"]).text
    return {line.partition(":")[0] for line in text.splitlines()}


def _add_groups(user: User, box: Sandbox) -> None:
    known = _names(box, "group")
    for group in user.groups:
        if group not in known:
            box.run(["groupadd", group], capture=False)


def _add_user(user: User, box: Sandbox) -> None:
    exists = user.name in _names(box, "passwd")
    groups = list(user.groups)
    if user.sudo:
        groups += sorted(_names(box, "group") & {"sudo", "wheel"})
    options = ["--append", "--groups", ",".join(groups)] if exists and groups else []
    if not exists:
        options = ["--create-home", *(["--groups", ",".join(groups)] if groups else [])]
    options += ["--home-dir" if not exists else "--home", user.home] if user.home else []
    # The startup script replaces the login shell, as in public templates.
    shell = user.startup_script or user.shell
    options += ["--shell", shell] if shell else []
    options += ["--badname"] if not _PLAIN_NAME.fullmatch(user.name) and not exists else []
    if options or not exists:
        box.run(["usermod" if exists else "useradd", *options, user.name], capture=False)


def _secure(user: User, box: Sandbox) -> None:
    name = user.name
    if user.password:
        box.run(["chpasswd", "--encrypted"], stdin=f"{name}:{user.password}\n", capture=False)
    if user.password_max_age is not None:
        box.run(["chage", "--maxdays", str(user.password_max_age), name], capture=False)


def check_shells(root: Path, users: Sequence[User]) -> None:
    """Raise OicError for a user whose login shell the image does not have; runs with the image as its root."""
    for user in users:
        key, shell = ("startupScript", user.startup_script) if user.startup_script else ("shell", user.shell)
        if shell and not (root / shell.lstrip("/")).exists():
            hint = "name it in additionalFiles" if user.startup_script else "add the package that has it"
            near = did_you_mean(shell, _known_shells(root))
            raise OicError(f"users: expected the {key} of {user.name} in the image, found no {shell}{near}", hint=hint)


def _known_shells(root: Path) -> list[str]:
    """Return the login shells that shells(5) lists and the image has."""
    try:
        lines = (root / "etc/shells").read_text("utf-8", "surrogateescape").splitlines()
    except FileNotFoundError:
        return []
    return [line for line in lines if line.startswith("/") and (root / line.lstrip("/")).exists()]


def sudo_rules(users: Sequence[User]) -> dict[str, str]:
    """Return a sudoers(5) file for each user that has ``sudo``."""
    return {
        f"/etc/sudoers.d/90-{user.name.replace('.', '_')}": f"{user.name} ALL=(ALL:ALL) ALL\n"
        for user in users
        if user.sudo
    }


def write_keys(root: Path, users: Sequence[User]) -> None:
    """Write each user's authorized_keys, sshd(8); runs with the image as its root."""
    text = (root / "etc/passwd").read_text("utf-8", "surrogateescape")
    entries = [entry for line in text.splitlines() if len(entry := line.split(":")) == 7]
    homes = {entry[0]: (parse_number(entry[2]), parse_number(entry[3]), entry[5]) for entry in entries}
    for user in users:
        if user.ssh_authorized_keys:
            uid, gid, home = homes.get(user.name, (None, None, ""))
            if uid is None or gid is None or max(uid, gid) > _MAX_ID:
                raise OicError(
                    f"expected a user id and a group id of {user.name} in the image's /etc/passwd, found none"
                )
            directory = root / home.lstrip("/") / ".ssh"
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = directory / "authorized_keys"
            file.write_text("".join(f"{key}\n" for key in user.ssh_authorized_keys), encoding="utf-8")
            file.chmod(0o600)
            for path in (directory, file):
                os.chown(path, uid, gid)
