"""``python -m tests.standin [DIR]`` creates the stand-ins; ``serve`` before the directory also serves them."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path

from oic.errors import OicError

from .elxr import make as make_elxr
from .elxr import serving_elxr
from .publish import make
from .serve import serving

USAGE = "python -m tests.standin [serve] [DIR]"

RECIPE = """
Run a build with OIC_CA={ca} and one of these targets in the recipe:

target: {{os: azure-linux, dist: azl3, arch: x86_64, imageType: raw,
  mirror: {rpm}/azurelinux/3.0/prod/base/x86_64,
  mirrorKeys: [{rpm}/azurelinux/3.0/prod/base/x86_64/repodata/repomd.xml.key]}}

target: {{os: edge-microvisor-toolkit, dist: emt3, arch: x86_64, imageType: raw,
  mirror: {rpm}/microvisor/rpms/3.0/base,
  mirrorKeys: [{rpm}/microvisor/rpms/3.0/base/repodata/repomd.xml.key]}}

target: {{os: wind-river-elxr, dist: elxr12, arch: x86_64, imageType: raw, mirror: {deb}}}

target: {{os: wind-river-elxr, dist: elxr13, arch: x86_64, imageType: raw, mirror: {deb}}}

Served until Ctrl-C.
"""


def default_place() -> Path:
    """Return the directory of the stand-in: ``OIC_STANDIN``, or one in the user's cache."""
    if own := os.environ.get("OIC_STANDIN"):
        return Path(own)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "oic-standin"


def main(words: list[str]) -> int:
    """Run the command; return its exit status."""
    serve = words[:1] == ["serve"]
    rest = words[1:] if serve else words
    if len(rest) > 1 or any(word.startswith("-") for word in rest):
        sys.stderr.write(f"expected {USAGE}, found {' '.join(words)}\n")
        return 2
    place = Path(rest[0]).absolute() if rest else default_place()
    missing = [name for name in ("rpmbuild", "rpmsign", "createrepo_c", "gpg", "openssl") if not shutil.which(name)]
    if missing:
        sys.stderr.write(f"missing on this host: {', '.join(missing)} (packages rpm createrepo-c gnupg openssl)\n")
        return 1
    try:
        make(place)
        make_elxr(place / "elxr")
    except OicError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"created in {place / 'tree'} and {place / 'elxr'}\n")
    if serve:
        with (
            serving(place / "tree") as rpm,
            serving_elxr(place / "elxr") as deb,
            tempfile.TemporaryDirectory(prefix="standin-tls-") as folder,
        ):
            both = Path(folder) / "ca.crt"
            both.write_bytes(rpm.ca.read_bytes() + deb.ca.read_bytes())
            _wait(RECIPE.format(ca=both, rpm=rpm.url, deb=deb.url))
    return 0


def _wait(said: str) -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    sys.stdout.write(said)
    sys.stdout.flush()
    stop.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
