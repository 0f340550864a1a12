from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

import pytest

from .ordinary_user import ordinary_user

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="making a user needs root")
NAME = "oic-test-left"
HOME = Path("/home", NAME)
LEFT = {
    "a user with files": f"useradd --create-home --home-dir {HOME} {NAME}; touch {HOME}/left",
    "a user without a home": f"useradd --no-create-home --home-dir {HOME} {NAME}",
    "a home of another user": f"mkdir -p {HOME}; touch {HOME}/left; chown -R nobody {HOME}",
    "a group": f"groupadd {NAME}",
}


@pytest.mark.parametrize("left", LEFT)
def test_what_a_killed_run_left_of_the_user_is_removed(left: str) -> None:
    with ordinary_user(NAME):
        pass  # what is left is what the test leaves
    subprocess.run(["sh", "-ec", LEFT[left]], check=True)
    with ordinary_user(NAME) as user:
        assert (HOME.owner(), user.pw_dir) == (NAME, str(HOME))
        assert not (HOME / "left").exists()
    _nothing_is_left()


def test_a_process_that_a_killed_run_left_is_ended() -> None:
    with ordinary_user(NAME):
        pass
    subprocess.run(["useradd", NAME], check=True)
    with subprocess.Popen(["sleep", "600"], user=NAME) as process, ordinary_user(NAME):
        assert process.wait() == -9
    _nothing_is_left()


def _nothing_is_left() -> None:
    assert not HOME.exists()
    with pytest.raises(KeyError):
        pwd.getpwnam(NAME)
