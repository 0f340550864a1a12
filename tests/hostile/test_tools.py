"""A hostile image tool of the build environment: what it puts in the place of the file that it was to make.

Never a link to /proc/self/exe: the stand-in of the machine has no copy of Python, and where the defence fails it is
Python itself whose mode changes. A descriptor of a scratch file goes the same way.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from oic.chroot import namespace, toolbox
from oic.errors import OicError
from oic.files import digest_of_sparse
from oic.image.fs.fat import make_fat
from oic.values import Bytes

from . import ways
from .host import beside

if TYPE_CHECKING:
    from pathlib import Path

    from .ways import Roots

OPEN = 100
SECRET = "of the host\n"
LAST = 'image=$2; rm "$image";'
INSTEAD = {
    "a link to what the builder has open": f'{LAST} ln -s /proc/self/fd/{OPEN} "$image"',
    "a link to a file of the host": f'{LAST} ln -s CANARY "$image"',
    "a FIFO": f'{LAST} mkfifo "$image"',
    "a directory": f'{LAST} mkdir "$image"',
    "nothing": LAST,
}


def _made(work: Path, script: str) -> tuple[str, str, int]:
    canary, inner = work / "canary", work / "inner"
    canary.write_text(SECRET)
    canary.chmod(0o600)
    inner.mkdir()
    os.dup2(os.open(canary, os.O_RDWR), OPEN)
    hostile = script.replace("CANARY", str(canary))
    programs = {"mkfs.vfat": "exit 0", "mmd": "exit 0", "mcopy": hostile}
    prepare = "\n".join(
        f"printf '%s\\n' '#!/bin/sh' '{text}' > $base/usr/bin/{name}; chmod 755 $base/usr/bin/{name}"
        for name, text in programs.items()
    )

    def make() -> None:
        ways.prepared(work / "lent/base", inner / "base", prepare)
        (inner / "made").mkdir()
        with toolbox.opened(inner / "base", inner / "work", inner / "log", visible=[inner / "made"]) as box:
            image = inner / "made/esp.img"
            make_fat(image, size=Bytes(1 << 20), volume_id=1, label="", epoch=1, files={"a": b"b"}, tools=box)

    try:
        namespace.call(make, writes=[inner])
        how = str(digest_of_sparse(inner / "made/esp.img"))
    except OicError as error:
        how = error.message
    return how, canary.read_text(), canary.stat().st_mode & 0o7777


@pytest.mark.parametrize("name", INSTEAD)
def test_anything_but_a_regular_file_written_by_a_tool_is_refused(name: str, roots: Roots, work: Path) -> None:
    how, content, mode = beside(work, _made, work, INSTEAD[name], lent=roots.place)
    found = "none" if name == "nothing" else "another kind"
    assert how == f"expected a regular file written by a tool, found {found}"
    assert (content, mode) == (SECRET, 0o600)
