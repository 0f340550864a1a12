"""Real images of the recipes that are shipped, built once a session.

Debian's are built from the host's own mirror, those of distributions that only their users reach from stand-ins.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from standin.fixtures import elxr, standin

from oic.chroot import layers, namespace, overlay, sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PROJECT = Path(__file__).parents[2]
DOIT = Path(sys.executable).with_name("doit")

__all__ = ["elxr", "standin"]

INITRD = f"{sandbox.FILES}/initrd.img"
"""Where `Built.inside` shows an image's initramfs."""


@dataclass(frozen=True)
class Mirror:
    """A stand-in: what a recipe's target says of it, and the authority that its certificate is of."""

    target: dict[str, object]
    ca: Path


@dataclass(frozen=True)
class Built:
    """A recipe built in a cache of its own: `place` holds a copy of recipes/ and the cache."""

    name: str
    place: Path
    mirror: Mirror | None

    @property
    def directory(self) -> Path:
        return self.place / "cache" / self.name

    @property
    def recipe(self) -> Path:
        return self.place / "recipes" / f"{self.name}.yml"

    @property
    def raw(self) -> Path:
        """The disk as it is; one that is compressed by default is unpacked once, beside the cache."""
        file = self.directory / f"{self.name}-1.0.0.raw"
        packed, unpacked = file.with_name(f"{file.name}.gz"), self.place / file.name
        if file.exists() or not packed.exists():
            return file
        if not unpacked.exists() or unpacked.stat().st_mtime_ns < packed.stat().st_mtime_ns:
            command = 'gzip -dc "$1" | dd of="$2" bs=1M conv=sparse iflag=fullblock status=none'
            subprocess.run(["sh", "-ec", command, "sh", packed, unpacked], check=True)
        return unpacked

    def doit(self, *words: str, status: int = 0) -> str:
        """Run doit on the recipe, which ends with this status; return all that it says."""
        argv = [str(DOIT), "-f", str(PROJECT / "dodo.py"), *words]
        argv += [f"image={self.recipe}", f"cache={self.place / 'cache'}"]
        env = {**os.environ, **({"OIC_CA": str(self.mirror.ca)} if self.mirror else {})}
        done = subprocess.run(argv, cwd=self.place, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def json(self, name: str) -> Any:
        return json.loads((self.directory / name).read_text(encoding="utf-8"))

    def packages(self) -> dict[str, str]:
        """Return the version of each package that the lock has in the image."""
        return {package["name"]: package["version"] for package in self.json("lock.json")["sets"]["image"]}

    def inside(self, *argv: str) -> str:
        """Return what a program of the image prints, run in the image's tree with its initramfs at INITRD."""
        trees = [
            layers.read(self.place / "cache" / layer["place"]).tree for layer in self.json("system.json")["layers"]
        ]
        work = self.place / "inside"
        work.mkdir()
        try:
            return namespace.call(_printed, trees, work, argv, self.directory / "initrd.img", writes=[work])
        finally:
            shutil.rmtree(work)


def _printed(trees: Sequence[Path], work: Path, argv: Sequence[str], initrd: Path) -> str:
    upper = work / "upper"
    upper.mkdir()
    with (
        overlay.merged(trees, work / "root", upper=upper, work=work / "work") as root,
        sandbox.opened(root, work / "log", files={"initrd.img": initrd}) as box,
    ):
        return box.run(argv).text


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Callable[[str], Built]:
    """Lock and build a shipped recipe; twice asked for, once built."""
    place = tmp_path_factory.mktemp("images")
    shutil.copytree(PROJECT / "recipes", place / "recipes", ignore=shutil.ignore_patterns("*.lock.json"))
    shutil.copytree(Path(__file__).with_name("recipes"), place / "recipes", symlinks=True, dirs_exist_ok=True)
    done: dict[str, Built] = {}

    def build(name: str) -> Built:
        if name not in done:
            image = Built(name, place, _mirror_for(name, request))
            if image.mirror:
                recipe = yaml.safe_load(image.recipe.read_text())
                recipe["target"] |= image.mirror.target
                image.recipe.write_text(yaml.safe_dump(recipe, sort_keys=False))
            image.doit("lock")
            image.doit("build")
            done[name] = image
        return done[name]

    return build


def _mirror_for(name: str, request: pytest.FixtureRequest) -> Mirror | None:
    distribution = name.partition("-")[0]
    if distribution in ("azl3", "emt3"):
        served = request.getfixturevalue("standin")
        url, key = served.urls[distribution], "repodata/repomd.xml.key"
    elif distribution in ("elxr12", "elxr13"):
        served = request.getfixturevalue("elxr")
        url, key = served.url, "public.gpg" if distribution == "elxr12" else "bianca.gpg"
    else:
        return None
    return Mirror({"mirror": url, "mirrorKeys": [f"{url}/{key}"]}, served.ca)
