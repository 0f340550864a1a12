"""Programs that end well although a part of them did not, as real shells tell of it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from oic.errors import ToolError
from oic.process.run import run

if TYPE_CHECKING:
    from pathlib import Path

HURT = {
    "a killed program": "sh -c 'kill -9 $$'; true",
    "in a function": "part() { sh -c 'kill -BUS $$' || return 0; }; part; true",
    "in a subshell": "( sh -c 'kill -9 $$'; : ); true",
    "without room": "cat /etc/passwd > /dev/full || true",
    "told by dracut-install": "echo \"dracut-install: ERROR: 'cp --reflink=auto -fL /a /b' failed with 137\" >&2",
}
WELL = {
    "nothing": "true",
    "the words of it": "echo 'the Killed and the Aborted: no space left over'; echo Killed by nobody",
    "a failure": "false; cat /nonexistent || true",
    "a crash on every machine": "sh -c 'kill -SEGV $$' || sh -c 'kill -ABRT $$' || true",
    "a program that it ends itself": "sleep 60 & kill $!; wait $! || true",
}


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize("script", HURT.values(), ids=HURT)
def test_a_failure_that_a_script_ignores_is_found_in_the_log(script: str, shell: str, tmp_path: Path) -> None:
    assert shutil.which(shell)
    with pytest.raises(ToolError, match="exited with 0, but a part of it failed"):
        run([shell, "-c", script], log=tmp_path / "log", capture=False, check_log=True)
    assert run([shell, "-c", script], log=tmp_path / "log", capture=False).status == 0


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize("script", WELL.values(), ids=WELL)
def test_similar_log_lines_are_no_failure(script: str, shell: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("Killed\n")  # of an earlier program
    assert run([shell, "-c", script], log=tmp_path / "log", capture=False, check_log=True).status == 0
