"""Runs of the installer as a program of its own, onto disks that are files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from installer.medium import MIB

if TYPE_CHECKING:
    from installer.medium import Medium

PROJECT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from oic.installer.__main__ import main
left, write = int(sys.argv[1]), os.pwrite
def counted(fd, data, at):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return write(fd, data, at)
os.pwrite = counted
status = main(sys.argv[2:])
print("left:", left)
sys.exit(status)
"""
"""Installs, and is killed at its write of a number."""


def run_installer(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run it, with what it says."""
    return run_python("-m", "oic.installer", *arguments)


def run_python(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Python without what this environment has installed."""
    argv = [sys.executable, "-I", "-S", "-c", "import sys; sys.path.insert(0, sys.argv.pop(1)); import runpy; "]
    argv[-1] += "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
    if arguments[0] == "-c":
        argv[-1] = f"import sys; sys.path.insert(0, sys.argv.pop(1))\n{arguments[1]}"
    return subprocess.run(
        [*argv, str(PROJECT), *map(str, arguments[1 if arguments[0] == "-m" else 2 :])],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )


def partition_bytes(disk: Path, number: int) -> bytes:
    """Return a partition's bytes, where sfdisk says that it lies."""
    output = subprocess.run(["sfdisk", "--json", str(disk)], capture_output=True, text=True, check=True).stdout
    (one,) = [
        entry
        for entry in json.loads(output)["partitiontable"]["partitions"]
        if entry["node"] in (f"{disk}{number}", f"{disk}p{number}")
    ]
    with disk.open("rb") as file:
        file.seek(512 * one["start"])
        return file.read(512 * one["size"])


def check_installed(medium: Medium, disk: Path) -> None:
    """Assert that a disk has all of a medium, as other programs see it."""
    done = subprocess.run(["sfdisk", "--verify", str(disk)], capture_output=True, text=True, check=True)
    assert "No errors detected" in done.stdout
    assert done.stderr == ""
    for one in medium.index["partitions"]:
        found = partition_bytes(disk, one["number"])
        plain = medium.plain.get(one["image"], b"")
        if one["grows"]:
            check_grown(found, one["size"], disk.parent)
        elif plain:
            assert found[: len(plain)] == plain, one["id"]
            assert len(found) == one["size"]
        else:
            assert not any(found[:MIB]), one["id"]
    with disk.open("rb") as file:
        for piece in medium.index["pieces"]:
            file.seek(piece["offset"])
            assert file.read(len(medium.plain[piece["image"]])) == medium.plain[piece["image"]]


def check_grown(found: bytes, least: int, folder: Path) -> None:
    """Assert that an ext file system fills its partition, is sound and has its file."""
    copy = folder / "copy"
    copy.write_bytes(found)
    subprocess.run(["e2fsck", "-f", "-n", str(copy)], check=True, capture_output=True)
    head = subprocess.run(["dumpe2fs", "-h", str(copy)], check=True, capture_output=True, text=True).stdout
    numbers = dict(line.split(":", 1) for line in head.splitlines() if line.count(":") == 1)
    size = int(numbers["Block count"]) * int(numbers["Block size"])
    assert size > least
    assert len(found) - size < MIB
    cat = subprocess.run(["debugfs", "-R", "cat /readme", str(copy)], check=True, capture_output=True)
    assert cat.stdout == b"hello\n"
    copy.unlink()
