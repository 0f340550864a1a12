"""A user of a recipe, for tests that change what they are about."""

from __future__ import annotations

from oic.config.model import User

USER = User(
    name="admin",
    password="",
    hash_algo="",
    password_max_age=None,
    startup_script="",
    groups=(),
    sudo=False,
    home="",
    shell="",
    ssh_authorized_keys=(),
)
"""Nobody who can log in: each test says what else is true of its user."""
