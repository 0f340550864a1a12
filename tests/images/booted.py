"""Kernels that an image can have, and what a booted disk says."""

from __future__ import annotations

import re
import subprocess
import time
from typing import TYPE_CHECKING

from oic.boottest.boot import CREDENTIALS, PROBE, PROBE_PASSWORD, await_login
from oic.boottest.session import log_in
from oic.boottest.vm import started

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.boottest.vm import Machine

TIMEOUT = 900.0
_KERNEL = r"^linux-image-6[.]1[.]0-([0-9]+)-cloud-amd64$"


def debian_kernels() -> list[str]:
    """Return the packages of Debian 12's cloud kernels that the host's mirror has, the newest last."""
    said = subprocess.run(
        ["apt-cache", "--names-only", "search", _KERNEL], capture_output=True, text=True, check=True
    ).stdout
    found = [match for line in said.splitlines() if (match := re.match(_KERNEL, line.split()[0]))]
    return [match[0] for match in sorted(found, key=lambda match: int(match[1]))]


def said_by(raw: Path, machine: Machine, log: Path, commands: Sequence[str]) -> list[str]:
    """Boot a disk and return what each command prints there; each has to end with status 0."""
    start = time.monotonic()
    deadline = start + TIMEOUT
    with started(raw, machine, credentials=CREDENTIALS, log=log) as console:
        await_login(console, start, deadline, lambda _: None)
        session = log_in(console, PROBE, PROBE_PASSWORD, deadline)
        texts = []
        for command in commands:
            answer = session.run(command, deadline)
            assert answer.status == 0, answer.text
            texts.append(answer.text)
    return texts


def install_in(raw: Path, machine: Machine, log: Path, prepare: Sequence[str], command: str) -> list[str]:
    """Boot a disk, run commands there and then one that takes minutes, which has to end with status 0.

    Return what each printed.
    """
    start = time.monotonic()
    deadline = start + 2 * TIMEOUT
    with started(raw, machine, credentials=CREDENTIALS, log=log) as console:
        await_login(console, start, deadline, lambda _: None)
        session = log_in(console, PROBE, PROBE_PASSWORD, deadline)
        texts = [session.run(one, deadline).text for one in prepare]
        session.run(f"({command}; echo $? > /run/status; sync) > /run/said 2>&1 < /dev/null &", deadline)
        while session.run("sleep 10; test -e /run/status", deadline).status:
            pass
        said = session.run("cat /run/said", deadline).text
        assert session.run("cat /run/status; sync", deadline).text == "0", said
    return [*texts, said]
