"""mmdebstrap installs a deb image's packages into a directory; both sides fetch from the warm-up build's store."""

from __future__ import annotations

import contextlib
import json
import subprocess
from typing import TYPE_CHECKING

from mirror import base_of, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

COMPARABLE = ("metadata", "solve", "download", "verify", "rootfs", "initrd")
"""The stages that do the same as mmdebstrap, which creates no build environment, users, files or disk."""
MERGED_USR = 'for name in bin sbin lib lib64; do mkdir -p "$1/usr/$name"; ln -s "usr/$name" "$1/$name"; done'
"""Creates a merged /usr first, as the build does; otherwise the package usrmerge moves every file later."""


@contextlib.contextmanager
def source(warm: Path, image: str, warm_up: Callable[[dict[str, str]], None]) -> Iterator[dict[str, str]]:
    """Yield additional fields for the recipe's target; the warm-up build uses the host's own mirror."""
    warm_up({})
    with serving(warm, image) as url:
        yield {"mirror": f"{url}{base_of('')}"}


def command(directory: Path, target: dict[str, str], tree: Path) -> list[str]:
    """Return the command that installs into `tree` the packages that were requested for the image in `directory`."""
    index, lock = (json.loads((directory / name).read_text()) for name in ("index.json", "lock.json"))
    asked, url = lock["asked"]["sets"]["image"]["names"], target["mirror"].removesuffix(base_of(""))
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    sources = [
        f"deb [signed-by={keys}] {url}{base_of(entry['name'])} {entry['suite']} {' '.join(entry['components'])}"
        for entry in index["repositories"]
    ]
    options = ["--variant=essential", "--format=directory", f"--include={','.join(asked)}", "--dpkgopt=force-unsafe-io"]
    hook = f"--setup-hook={MERGED_USR}"
    argv = ["mmdebstrap", "--quiet", *options, hook, index["repositories"][0]["suite"], str(tree), *sources]
    return ["env", f"TMPDIR={tree.parent}", *argv]


def installed(tree: Path) -> set[str]:
    """Return the name and version of each package in a tree."""
    query = ["dpkg-query", f"--admindir={tree}/var/lib/dpkg", "-W", "-f", "${Package} ${Version}\\n"]
    return set(subprocess.run(query, check=True, capture_output=True, text=True).stdout.splitlines())
