"""A user's working directory: a recipe, a cache, the real doit in a separate process, and snapshots of a build.

* The package family is a value from `families`.
* Files in an image's directory are replaced, never changed in place, so hard links are a snapshot of it. Layers and
  blobs are only added.
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
    """The exit status and output of a command, and the tasks that doit ran or found up to date."""

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
        """Check that it failed with an error that contains these texts, and without a traceback."""
        assert self.status != 0, self.said
        assert "Traceback" not in self.said, self.said
        assert not [text for text in texts if text not in self.said], self.said
        return self


@dataclass(kw_only=True)
class Place:
    """A directory with ``small.yml``, its files, and a cache; `family_variables` are the environment of its family."""

    root: Path
    family: Family
    family_variables: Mapping[str, str] = field(default_factory=dict)
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
        """Return the directory that builds use instead of /tmp."""
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
        return {**os.environ, **self.family_variables, **own, **self.environment}

    def another(self, root: Path) -> Place:
        """Return a place of the same family in another directory."""
        root.mkdir(exist_ok=True)
        return Place(root=root, family=self.family, family_variables=self.family_variables)

    def keep(self, snapshot: Path) -> None:
        """Take a snapshot of the image's directory and of doit's database."""
        shutil.rmtree(snapshot, ignore_errors=True)
        snapshot.mkdir(parents=True)
        subprocess.run(["cp", "-al", str(self.image), str(snapshot / "small")], check=True)
        shutil.copy2(self.cache / "doit.db", snapshot / "doit.db")

    def restore(self, snapshot: Path) -> None:
        """Restore a snapshot, and the recipe with its files."""
        self.write(self.family.recipe)
        for found in self.root.glob("*.lock.json"):
            found.unlink()
        self.environment.clear()
        self.project = PROJECT
        for stale in (self.image, self.temporary):
            shutil.rmtree(stale, ignore_errors=True)
        subprocess.run(["cp", "-al", str(snapshot / "small"), str(self.image)], check=True)
        shutil.copy2(snapshot / "doit.db", self.cache / "doit.db")
