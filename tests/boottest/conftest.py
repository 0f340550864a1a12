"""A console whose other end is `peer.py`."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from oic.boottest import console, session
from oic.boottest.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PEER = Path(__file__).with_name("peer.py")


@pytest.fixture
def deadline() -> float:
    """A time that only a hang reaches."""
    return time.monotonic() + 60


@pytest.fixture(autouse=True)
def _quick_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The peer is no emulated machine: it answers at once."""
    monkeypatch.setattr(console, "REST", 0.2)
    monkeypatch.setattr(session, "TERMINAL_DELAY", 0.2)


@pytest.fixture
def console_of(tmp_path: Path) -> Iterator[Callable[..., Console]]:
    """Return a function that starts the peer with a scene and returns the near end of its line."""
    with contextlib.ExitStack() as stack:

        def start(**scene: Any) -> Console:
            near, far = pty.openpty()
            stack.callback(os.close, near)
            argv = [sys.executable, str(PEER), json.dumps({"passwords": {}, **scene})]
            process = subprocess.Popen(argv, stdin=far, stdout=far, stderr=far, start_new_session=True)
            os.close(far)
            stack.callback(process.wait)
            stack.callback(process.kill)
            line = Console(near, near, log=tmp_path / "log" / "console", describe_end=lambda: "the peer is gone")
            stack.callback(line.close)
            return line

        yield start
