"""``python -m tests.standin [DIR]`` makes the stand-in; ``python -m tests.standin serve [DIR]`` makes and serves it."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from pathlib import Path

from oic.errors import OicError

from .publish import DISTRIBUTIONS, make
from .serve import Served, serving

RECIPE = """
For a build run with OIC_CA={ca} a recipe says one of

  target: {{os: azure-linux, dist: azl3, arch: x86_64, imageType: raw,
    mirror: {azl3}, mirrorKeys: [{azl3}/repodata/repomd.xml.key]}}
  target: {{os: edge-microvisor-toolkit, dist: emt3, arch: x86_64, imageType: raw,
    mirror: {emt3}, mirrorKeys: [{emt3}/repodata/repomd.xml.key]}}

Served until Ctrl-C.
"""


def default_place() -> Path:
    """Return where the stand-in is kept: ``OIC_STANDIN``, or a folder of the user's cache."""
    if own := os.environ.get("OIC_STANDIN"):
        return Path(own)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "oic-standin"


def main(words: list[str]) -> int:
    """Do what the command line says."""
    serve = words[:1] == ["serve"]
    rest = words[1:] if serve else words
    place = Path(rest[0]).absolute() if rest else default_place()
    missing = [name for name in ("rpmbuild", "rpmsign", "createrepo_c", "gpg", "openssl") if not shutil.which(name)]
    if missing:
        sys.stderr.write(f"missing on this host: {', '.join(missing)} (packages rpm createrepo-c gnupg openssl)\n")
        return 1
    try:
        make(place)
    except OicError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"made in {place / 'tree'}\n")
    if serve:
        with serving(place / "tree") as served:
            _wait(served)
    return 0


def _wait(served: Served) -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    urls = {distribution.name: f"{served.url}/{distribution.path}" for distribution in DISTRIBUTIONS}
    sys.stdout.write(RECIPE.format(ca=served.ca, **urls))
    sys.stdout.flush()
    stop.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
