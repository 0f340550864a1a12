"""One harness under atheris (libFuzzer), in a process of its own: ``python -m fuzz.engine NAME SECONDS``.

A finding does not end the run: the first of each kind is written to ``findings/``, the others are passed over.
"""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING

import atheris

with atheris.instrument_imports(include=["oic", "tarfile", "configparser", "email"], enable_loader_override=False):
    from fuzz.catalogue import HARNESSES
    from fuzz.harness import HERE, Finding, check, limits

if TYPE_CHECKING:
    from fuzz.harness import Harness

FINDINGS = HERE / "findings"
WORK = HERE / "work"
HANG = 120
"""Seconds after which libFuzzer itself gives up: for what hangs outside of Python."""


def main(name: str, seconds: str) -> None:
    """Fuzz until the time is over; libFuzzer ends the process."""
    harness = HARNESSES[name]
    work = WORK / name
    work.mkdir(parents=True, exist_ok=True)
    FINDINGS.mkdir(exist_ok=True)
    for data in harness.kept():
        if len(data) > harness.most:
            continue
        (work / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    seen: set[str] = set()

    def one(data: bytes) -> None:
        try:
            check(harness, data)
        except Finding as finding:
            if finding.place not in seen:
                seen.add(finding.place)
                _keep(harness, data, finding)

    options = [
        f"-max_total_time={seconds}",
        f"-max_len={harness.most}",
        f"-artifact_prefix={FINDINGS / name}-",
        f"-timeout={HANG}",
        "-rss_limit_mb=2560",
        "-print_final_stats=1",
        "-reload=0",
    ]
    with limits():
        atheris.Setup([sys.argv[0], *options, str(work)], one)
        atheris.Fuzz()


def _keep(harness: Harness, data: bytes, finding: Finding) -> None:
    file = FINDINGS / f"{harness.name}-{hashlib.sha256(data).hexdigest()[:12]}"
    file.write_bytes(data)
    sys.stderr.write(f"\nFINDING {file}\n{finding}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
