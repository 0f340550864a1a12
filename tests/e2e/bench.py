"""A user's place of work: a recipe, a cache, and the real doit run there as a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent
PROGRESS = (".  ", "-- ", "  ", "download: ", "note: ")
"""How lines begin that are no failure: doit's, a stage's last word, the progress of a download, a note."""
HURRIED = """
import oic.ospackage.http
oic.ospackage.http.RetryPolicy.__init__.__kwdefaults__.update(read=5, window=.3, rate=1000, attempts=2, back_off=.001)
from doit.__main__ import main
main()
"""
"""doit with a fetcher that gives up quickly, and no other difference."""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a command ended, and all it said."""

    status: int
    said: str

    def succeeded(self, *texts: str) -> None:
        assert self.status == 0, self.said
        assert not [text for text in texts if text not in self.said], self.said

    def refused(self, *texts: str) -> None:
        """It failed, said why in these words, and showed no insides of the program."""
        assert self.status != 0, self.said
        assert "Traceback" not in self.said, self.said
        assert "Error:" not in self.said, self.said
        assert not [text for text in texts if text not in self.said], self.said

    def refused_in_one_line(self, *texts: str) -> None:
        self.refused(*texts)
        failed = [line for line in self.said.splitlines() if not line.startswith(PROGRESS)]
        assert len(failed) == 1, self.said
        assert not [text for text in texts if text not in failed[0]], self.said


@dataclass(kw_only=True)
class Bench:
    """A directory with ``small.yml`` and a cache beside it."""

    place: Path
    distributions: Path
    mirror: str
    dist: str = "tiny1"
    environment: dict[str, str] = field(default_factory=dict)
    named: str = field(default="", repr=False)
    """What hand-overs said whenever they were looked at: an update forgets, the store does not."""

    @property
    def recipe(self) -> Path:
        return self.place / "small.yml"

    @property
    def cache(self) -> Path:
        return self.place / "cache"

    @property
    def image(self) -> Path:
        return self.cache / "small"

    def write(self, body: str = "", *, mirror: str = "") -> None:
        """Write the recipe: five lines that make it complete, then `body`."""
        head = ["image: {name: small, version: 1.0.0}", "target:", "  os: tiny", f"  dist: {self.dist}"]
        head += ["  arch: x86_64", "  imageType: raw", f"  mirror: {mirror or self.mirror}"]
        self.recipe.write_text("\n".join([*head, body]))

    def oic(self, *words: str, program: str = "", under: tuple[str, ...] = (), cache: Path | None = None) -> Ran:
        """Run ``doit words…`` on the recipe: with `program` in its stead, `under` another command."""
        python = [sys.executable, "-c", program] if program else [sys.executable, "-m", "doit"]
        argv = [*under, *python, "-f", str(PROJECT / "dodo.py"), *words]
        argv += [f"cache={cache or self.cache}"]
        if not any(word.startswith("image=") for word in words):
            argv += ["image=small.yml"]
        done = subprocess.run(
            argv,
            cwd=self.place,
            env=self.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
        return Ran(status=done.returncode, said=done.stdout)

    def digest(self, name: str) -> str:
        """Return the sha256 that the lock gives a package."""
        if not (self.image / "lock.json").exists():
            self.oic("solve").succeeded()
        packages = json.loads((self.image / "lock.json").read_text())["sets"]["image"]
        return str(next(package["sha256"] for package in packages if package["name"] == name))

    def forget_metadata(self) -> None:
        """Have the next build fetch metadata anew: an update in the same breath."""
        (self.image / "index.json").unlink(missing_ok=True)

    def keeps_nothing_unverified(self) -> None:
        """Each blob is what its name says, and something signed named it; no layer is there."""
        self.named += "".join(file.read_text() for file in self.image.glob("*.json"))
        for blob in self.cache.glob("store/sha256/*/*"):
            assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name
            assert blob.name in self.named, f"{blob} is named nowhere"
        assert not list(self.cache.glob("layers/*/layer.json"))

    def variables(self) -> dict[str, str]:
        """Return the environment of what runs here."""
        proxies = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
        kept = {name: value for name, value in os.environ.items() if name.lower() not in proxies}
        return {**kept, "OIC_DISTRIBUTIONS": str(self.distributions), **self.environment}
