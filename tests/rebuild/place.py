"""A user's place of work: a recipe, a cache, the real doit as a process of its own, and a way back to a built state.

* What its builds are of is a value: one of `families`.
* Everything in an image's directory is replaced, never written in place, so hard links are a snapshot of it; layers and
  blobs are only ever added.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .families import Family

PROJECT = Path(__file__).parent.parent.parent
STAGES = (
    "metadata",
    "solve",
    "download",
    "verify",
    "chroot",
    "rootfs",
    "system",
    "initrd",
    "fs",
    "boot",
    "disk",
    "evidence",
)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a command ended, what it said, and what doit ran and found fresh."""

    status: int
    said: str

    @property
    def ran(self) -> list[str]:
        return re.findall(r"^\.  (\S+)$", self.said, re.MULTILINE)

    @property
    def fresh(self) -> list[str]:
        return re.findall(r"^-- (\S+)$", self.said, re.MULTILINE)

    def stages(self, image: str = "small") -> set[str]:
        return {name.removesuffix(f":{image}") for name in self.ran if name.endswith(f":{image}")}

    def succeeded(self) -> Ran:
        assert self.status == 0, self.said
        return self

    def refused(self, *texts: str) -> Ran:
        """It failed, said why in these words, and showed no insides of the program."""
        assert self.status != 0, self.said
        assert "Traceback" not in self.said, self.said
        assert not [text for text in texts if text not in self.said], self.said
        return self


@dataclass(kw_only=True)
class Place:
    """A directory with ``small.yml``, its files, and a cache; `lent` is the environment its family needs."""

    root: Path
    family: Family
    lent: Mapping[str, str] = field(default_factory=dict)
    project: Path = PROJECT
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def recipe(self) -> Path:
        return self.root / "small.yml"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def image(self) -> Path:
        return self.cache / "small"

    @property
    def raw(self) -> Path:
        return self.image / "small-1.0.0.raw"

    @property
    def temporary(self) -> Path:
        """What a build takes for /tmp."""
        return self.root / "tmp"

    def write(self, recipe: dict[str, Any] | str, name: str = "small.yml") -> None:
        text = recipe if isinstance(recipe, str) else yaml.safe_dump(recipe, sort_keys=False)
        (self.root / name).write_text(text)
        (self.root / "files").mkdir(exist_ok=True)
        (self.root / "files/motd").write_text("Welcome.\n")
        (self.root / "files/motd").chmod(0o644)
        (self.root / "files/part.yml").write_text("systemConfig: {configurations: [{cmd: echo two > /etc/two}]}\n")
        parent = {"image": {"name": "parent", "version": "1"}, "target": self.family.target}
        parent["systemConfig"] = {"users": [{"name": "admin", "groups": ["video"]}]}
        (self.root / "files/parent.yml").write_text(yaml.safe_dump(parent))

    def argv(self, *words: str, under: tuple[str, ...] = (), image: str = "small.yml") -> list[str]:
        argv = [*under, sys.executable, "-m", "doit", "-f", str(self.project / "dodo.py"), *words]
        return [*argv, f"cache={self.cache}", *([f"image={image}"] if image else [])]

    def start(self, *words: str, image: str = "small.yml", **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.argv(*words, image=image),
            cwd=self.root,
            env=self.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    def doit(self, *words: str, image: str = "small.yml", under: tuple[str, ...] = ()) -> Ran:
        done = subprocess.run(
            self.argv(*words, image=image, under=under),
            cwd=self.root,
            env=self.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=900,
        )
        return Ran(status=done.returncode, said=done.stdout)

    def variables(self) -> dict[str, str]:
        self.temporary.mkdir(exist_ok=True)
        own = {"PYTHONPATH": str(self.project), "TMPDIR": str(self.temporary)}
        return {**os.environ, **self.lent, **own, **self.environment}

    def another(self, root: Path) -> Place:
        """Return a place elsewhere, of the same family."""
        root.mkdir(exist_ok=True)
        return Place(root=root, family=self.family, lent=self.lent)

    def keep(self, snapshot: Path) -> None:
        """Take a snapshot of the image's directory and of doit's memory."""
        shutil.rmtree(snapshot, ignore_errors=True)
        snapshot.mkdir(parents=True)
        subprocess.run(["cp", "-al", str(self.image), str(snapshot / "small")], check=True)
        shutil.copy2(self.cache / "doit.db", snapshot / "doit.db")

    def restore(self, snapshot: Path) -> None:
        """Go back to a snapshot; the recipe and its files too."""
        self.write(self.family.recipe)
        for found in self.root.glob("*.lock.json"):
            found.unlink()
        self.environment.clear()
        self.project = PROJECT
        for stale in (self.image, self.temporary):
            shutil.rmtree(stale, ignore_errors=True)
        subprocess.run(["cp", "-al", str(snapshot / "small"), str(self.image)], check=True)
        shutil.copy2(snapshot / "doit.db", self.cache / "doit.db")
