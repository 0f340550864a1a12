"""A directory with a recipe, a home of its own, and the ``oic`` of the environment that the tests run in."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

OIC = str(Path(sys.executable).with_name("oic"))
RECIPE = """image: {name: first, version: 1.0.0}
target: {os: debian, dist: debian12, arch: x86_64, imageType: raw}
"""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a command ended, and what it said where."""

    status: int
    out: str
    err: str


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where a user works: `here`, and a home."""

    here: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        own = {"HOME": str(self.home), "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": "", "COLUMNS": "80"}
        return {**os.environ, **own}

    def oic(self, *words: str) -> Ran:
        done = subprocess.run(
            [OIC, *words],
            cwd=self.here,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Ran(status=done.returncode, out=done.stdout, err=done.stderr)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    here, home = tmp_path / "here", tmp_path / "home"
    here.mkdir()
    home.mkdir()
    (here / "first.yml").write_text(RECIPE)
    return Desk(here=here, home=home)
