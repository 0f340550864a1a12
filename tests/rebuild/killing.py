"""Stops builds at exact points: makes a stage run, stops the build there, and lists what it must not leave behind."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .place import Place
    from .points import Point

STOPPER = Path(__file__).parent / "stopper"
_PR_SET_CHILD_SUBREAPER = 36
_TIMEOUT = 300.0


def delete_outputs(place: Place, stage: str) -> None:
    """Delete those outputs of a finished build that make this stage do all its work again."""
    handover = place.image / {"metadata": "index", "solve": "lock", "verify": "trust"}.get(stage, stage)
    named: list[str] = []
    if stage in ("chroot", "rootfs", "system"):
        said = json.loads(handover.with_suffix(".json").read_text())
        named = [(said["layer"] if stage == "chroot" else said["layers"][-1])["place"]]
    if stage == "download":
        named = json.loads(handover.with_suffix(".json").read_text())["blobs"][:12]
    for name in named:
        path = place.cache / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    lost = {
        "metadata": ["index.json", "metadata-http.json"],
        "initrd": ["initrd.img"],
        "fs": ["fs/rootfs.img"],
        "boot": ["esp.img"],
        "disk": ["small-1.0.0.raw"],
        "evidence": ["small-1.0.0.manifest.json"],
    }
    for name in lost.get(stage, [handover.with_suffix(".json").name]):
        (place.image / name).unlink()


def stopped(place: Place, point: Point, stop: Callable[[subprocess.Popen[str]], None]) -> tuple[int, str]:
    """Start a build, `stop` it when it reports that it has reached the point; return its status and output.

    All stages run in that process, because a point is between two actions of one process.
    """
    pipe = place.root / "pipe"
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    words = (point.stage, point.event, point.text, point.count, point.delay)
    place.environment |= {"OIC_TEST_POINT": " ".join(map(str, words)), "OIC_TEST_PIPE": str(pipe)}
    place.environment["PYTHONPATH"] = f"{STOPPER}:{place.project}"
    output = place.root / "output"
    try:
        with output.open("w") as said:
            process = subprocess.Popen(
                place.argv(
                    "-n", "0", "build", under=("env", "--default-signal=INT")
                ),  # pytest may run in the background
                cwd=place.root,
                env=place.variables(),
                stdout=said,
                stderr=said,
                text=True,
                start_new_session=True,
            )
            _wait_for_byte(reader, process, output)
            stop(process)
            status = process.wait(timeout=_TIMEOUT)
    finally:
        os.close(reader)
        place.environment.clear()
    return status, output.read_text()


def _wait_for_byte(reader: int, process: subprocess.Popen[str], output: Path) -> None:
    end = time.monotonic() + _TIMEOUT
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    while time.monotonic() < end:
        ready = poll.poll(200)
        if any(event & select.POLLIN for _, event in ready) and os.read(reader, 1):
            return
        if process.poll() is not None:
            raise AssertionError(f"the build never reached the point:\n{output.read_text()}")
    process.kill()
    raise AssertionError(f"the build did not reach the point in time:\n{output.read_text()}")


def kill(process: subprocess.Popen[str]) -> None:
    """Send SIGKILL to the command only: the processes that it started must end by themselves."""
    process.kill()


@contextlib.contextmanager
def adopt_orphans() -> Iterator[None]:
    """Make this process the new parent of all orphaned descendants (prctl(2), PR_SET_CHILD_SUBREAPER)."""
    libc = ctypes.CDLL(None, use_errno=True)
    _others.clear()
    _others.update(_child_pids())  # from other tests in this session, such as multiprocessing's resource tracker
    assert libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    try:
        yield
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


_others: set[int] = set()


def _child_pids() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


def children() -> list[str]:
    """Return the command lines of all new children of this process that are still alive after at most 20 seconds."""
    end = time.monotonic() + 20
    while True:
        alive = []
        for pid in _child_pids() - _others:
            with contextlib.suppress(OSError):
                if os.waitpid(pid, os.WNOHANG) == (0, 0):
                    alive.append(f"{pid} {Path(f'/proc/{pid}/cmdline').read_text()}")
        if not alive or time.monotonic() > end:
            return alive
        time.sleep(0.05)


def mounted(place: Place) -> list[str]:
    """Return the mounts and loop devices of this machine that belong to a place."""
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(place.root) in line]
    backing = [path.read_text() for path in Path("/sys/block").glob("loop*/loop/backing_file")]
    return mounts + [text for text in backing if str(place.root) in text]


def leftovers(place: Place) -> list[str]:
    """Return what the next build must remove after a kill: parts, temporary names, files in work directories."""
    temporary = re.compile(r"\.part$|^\..+\.[a-z0-9_]{8}$|^oic-")
    found = [*place.image.rglob("*"), *(place.cache / "layers").iterdir(), *(place.cache / "store/sha256").rglob("*")]
    work = [path for path in (place.image / "work").rglob("*") if path.is_file()]
    outside = place.temporary.iterdir()
    return [str(path) for path in [*(path for path in found if temporary.search(path.name)), *work, *outside]]


def interrupt(process: subprocess.Popen[str]) -> None:
    """Send SIGINT to the whole process group, like Ctrl-C."""
    os.killpg(process.pid, signal.SIGINT)


def terminate(process: subprocess.Popen[str]) -> None:
    """Send SIGTERM to the command only, like service managers and CI."""
    process.terminate()
