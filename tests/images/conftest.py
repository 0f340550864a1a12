"""Real images of the recipes that are shipped, built once a session from the host's own mirror."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Path(__file__).parents[2]
DOIT = Path(sys.executable).with_name("doit")


@dataclass(frozen=True)
class Built:
    """A recipe built in a cache of its own: `place` holds a copy of recipes/ and the cache."""

    name: str
    place: Path

    @property
    def directory(self) -> Path:
        return self.place / "cache" / self.name

    @property
    def recipe(self) -> Path:
        return self.place / "recipes" / f"{self.name}.yml"

    @property
    def raw(self) -> Path:
        return self.directory / f"{self.name}-1.0.0.raw"

    def doit(self, *words: str) -> str:
        argv = [str(DOIT), "-f", str(PROJECT / "dodo.py"), *words]
        argv += [f"image={self.recipe}", f"cache={self.place / 'cache'}"]
        done = subprocess.run(argv, cwd=self.place, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def json(self, name: str) -> Any:
        return json.loads((self.directory / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Built]:
    """Lock and build a shipped recipe; twice asked for, once built."""
    place = tmp_path_factory.mktemp("images")
    shutil.copytree(PROJECT / "recipes", place / "recipes", ignore=shutil.ignore_patterns("*.lock.json"))
    done: dict[str, Built] = {}

    def build(name: str) -> Built:
        if name not in done:
            image = Built(name, place)
            image.doit("lock")
            image.doit("build")
            done[name] = image
        return done[name]

    return build
