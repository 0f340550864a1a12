"""Debian's dnf installs an rpm image's packages into a directory; both sides fetch from the stand-in, over TLS."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.standin.__main__ import default_place
from tests.standin.publish import DISTRIBUTIONS, make
from tests.standin.serve import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENVIRONMENT = ("PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C")
COMPARABLE = ("metadata", "solve", "download", "verify", "chroot", "rootfs", "initrd")
"""The stages that do the same as dnf; in `chroot`, the build unpacks its own rpm, while dnf uses the host's."""
INSIDE = """
mkdir -p "$0/proc" "$0/dev" "$0/../dnf/log"
mount -t proc proc "$0/proc"
mount -t tmpfs tmpfs "$0/dev"
for node in null zero full random urandom tty; do cp -a "/dev/$node" "$0/dev/"; done
ln -s /proc/self/fd "$0/dev/fd"
exec dnf --installroot "$0" "$@"
"""
"""Mounts what package scripts also have in a build, in a separate mount namespace."""


@contextlib.contextmanager
def source(warm: Path, image: str, warm_up: Callable[[dict[str, str]], None]) -> Iterator[dict[str, str]]:  # noqa: ARG001 - as in mmdebstrap.py
    """Yield additional fields for the recipe's target; the warm-up build uses the stand-in as well."""
    if os.geteuid() != 0:
        raise SystemExit("dnf --installroot needs root")
    make(default_place())
    with serving(default_place() / "tree") as served:
        os.environ["OIC_CA"] = str(served.ca)
        path = next(entry.path for entry in DISTRIBUTIONS if image.startswith(entry.name))
        target = {"mirror": f"{served.url}/{path}"}
        warm_up(target)
        yield target


def command(directory: Path, target: dict[str, str], tree: Path) -> list[str]:  # noqa: ARG001 - as in mmdebstrap.py
    """Return the command that installs into `tree` the packages that were requested for the image in `directory`."""
    lock = json.loads((directory / "lock.json").read_text())
    url, place = lock["repositories"][0]["url"], tree.parent / "dnf"
    settings = {
        "reposdir": place / "none",
        "varsdir": place / "none",
        "cachedir": place / "cache",
        "logdir": place / "log",
        "install_weak_deps": False,
        "s.gpgcheck": True,
        "s.repo_gpgcheck": True,
        "s.gpgkey": f"{url}/repodata/repomd.xml.key",
        "s.sslcacert": os.environ["OIC_CA"],
    }
    options = [f"--setopt={name}={value}" for name, value in settings.items()]
    words = ["--assumeyes", "--releasever", "3.0", "--repofrompath", f"s,{url}", "--repo", "s", *options]
    around = ["env", "-i", *ENVIRONMENT, "unshare", "--mount", "--pid", "--fork"]
    names = lock["asked"]["sets"]["image"]["names"]
    return [*around, "--kill-child", "sh", "-euc", INSIDE, str(tree), *words, "install", *names]


def installed(tree: Path) -> set[str]:
    """Return the name and version of each package in a tree; raises SystemExit if it has no initramfs."""
    made = list((tree / "boot").glob("initrd.img-*"))
    if len(made) != 1 or made[0].stat().st_size < 1 << 20:
        raise SystemExit(f"dnf's run made no initramfs: {made}")
    form = "%{NAME} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\\n"
    argv = [
        "env",
        "-i",
        *ENVIRONMENT,
        "rpm",
        "--root",
        str(tree),
        "-qa",
        "--qf",
        form,
    ]  # with the environment of the install
    lines = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()
    return {line.replace(" 0:", " ") for line in lines if not line.startswith("gpg-pubkey ")}
