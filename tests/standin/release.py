"""Release files of deb repositories: their text, and its signatures by a test key."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
from typing import TYPE_CHECKING

from .signing import signer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def release_text(folder: Path, fields: Mapping[str, str], lists: Iterable[str]) -> str:
    """Return a Release file of these fields; `lists` are paths of ``Packages.gz`` below the folder of the suite."""
    lines = [f"{name}: {value}\n" for name, value in fields.items()]
    lines.append("SHA256:\n")
    for path in lists:
        data = (folder / path).read_bytes()
        for body, name in ((data, path), (gzip.decompress(data), path.removesuffix(".gz"))):
            lines.append(f" {hashlib.sha256(body).hexdigest()} {len(body)} {name}\n")
    return "".join(lines)


def write_release(folder: Path, text: str, name: str, epoch: int) -> None:
    """Write ``Release``, ``Release.gpg`` and ``InRelease``, signed by the test key of this name at this time."""
    (folder / "Release").write_text(text)
    with signer(name, epoch) as key:
        argv = ["gpg", "--batch", "--no-tty", "--yes", "--digest-algo", "sha256", "--faked-system-time", f"{epoch}!"]
        env = {"PATH": os.environ["PATH"], "HOME": str(key.home), "GNUPGHOME": str(key.home), "LC_ALL": "C"}
        for output, command in (("Release.gpg", ["--armor", "--detach-sign"]), ("InRelease", ["--clear-sign"])):
            whole = [*argv, "--output", str(folder / output), *command, str(folder / "Release")]
            subprocess.run(whole, env=env, check=True, capture_output=True)
