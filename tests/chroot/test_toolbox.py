"""A stage's own place for its work, while something still writes into it."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from oic.chroot.toolbox import temporary_files_in, workspace
from oic.provider.openpgp import keyring

if TYPE_CHECKING:
    from pathlib import Path

WRITING = 'i=0; while [ -d "$1" ] && [ $i -lt 200000 ]; do i=$((i+1)); : > "$1/$i"; done'


def test_an_interrupt_is_raised_although_gpg_still_writes_into_its_home(tmp_path: Path) -> None:
    """What a program leaves that outlives the stop is gone with the next one's work."""
    place = tmp_path / "work"
    with pytest.raises(SystemExit, match="143"), temporary_files_in(place), keyring({}):  # noqa: PT012 - as it happens
        home = next(place.glob("oic-gpg-*"))
        writer = subprocess.Popen(["sh", "-c", WRITING, "sh", home], stderr=subprocess.DEVNULL)
        while not (home / "5000").exists():
            time.sleep(0.01)
        raise SystemExit(143)
    writer.kill()
    writer.wait()
    with workspace(place):
        assert list(place.iterdir()) == []
    assert not place.exists()
