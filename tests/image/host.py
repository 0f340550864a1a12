"""The tools of the machine the tests run on, through the same protocol as those of a build's chroot."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from oic.errors import ToolError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class HostTools:
    """Run programs as they are, with an environment scrubbed but for what the caller sets."""

    def run(self, argv: Sequence[str], *, env: Mapping[str, str]) -> str:
        merged = {"PATH": PATH, **env}
        done = subprocess.run(argv, env=merged, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode:
            raise ToolError(f"{argv[0]} failed with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout


def output(*argv: str | os.PathLike[str]) -> str:
    """Run an oracle; returns what it says, on both channels, and fails the test when it fails."""
    env = {"PATH": PATH, "LC_ALL": "C", "TZ": "UTC"}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, errors="replace", check=False)
    text = done.stdout + done.stderr
    assert done.returncode == 0, f"{argv}: {done.returncode}\n{text}"
    return text
