"""As whom the boot test logs in: only users who get a shell by a password that the recipe says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from config.users import USER
from msgspec.structs import replace

from oic.tasks.booting import can_log_in

if TYPE_CHECKING:
    from oic.config.model import User

PLAIN = replace(USER, password="change-me")


@pytest.mark.parametrize("shell", ["", "/bin/sh", "/usr/bin/bash"])
def test_a_user_with_a_password_and_a_shell_can_log_in(shell: str) -> None:
    assert can_log_in(replace(PLAIN, shell=shell))


@pytest.mark.parametrize(
    "user",
    [
        replace(PLAIN, password=""),
        replace(PLAIN, password="$6$salt$hash"),
        replace(PLAIN, shell="/usr/sbin/nologin"),
        replace(PLAIN, shell="/bin/false"),
        replace(PLAIN, startup_script="/opt/kiosk"),
    ],
    ids=["locked", "hashed", "nologin", "false", "startup script"],
)
def test_a_user_without_a_password_or_a_shell_cannot_log_in(user: User) -> None:
    assert not can_log_in(user)
