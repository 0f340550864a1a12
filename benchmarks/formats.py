"""Measures each format and compression of a disk, beside qemu-img and a parallel compressor; see ``--help``.

    raw disk, built once ─┬─ the stage convert                        (one artefact at a time) ┐
                          └─ qemu-img convert, pigz, zstd, xz, bzip2  (of the host)            ┴ interleaved

Both sides include the sha256 of the result, which a build records.

This is not a test: the figures are from one machine at one time.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from oic.files import digest_of_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROJECT = Path(__file__).parent.parent
FORMATS = ("raw", "qcow2", "vhd", "vhdx", "vmdk", "vdi")
COMPRESSORS = {
    "": (),
    "gz": ("pigz", "-6"),
    "zstd": ("zstd", "-T0", "-3", "-q"),
    "xz": ("xz", "-T0", "-6"),
    "bz2": ("bzip2", "-9"),
}
ENDINGS = {"zstd": "zst"}
QEMU = {"vhd": ["vpc", "-o", "subformat=fixed,force_size"], "qcow2": ["qcow2"]}
_CONVERT = re.compile(r"^ +convert +.*\(([0-9.]+) s\)$", re.MULTILINE)


def main() -> None:
    """Run the benchmark and print its table in markdown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recipe", default=PROJECT / "recipes/edge.yml", type=Path)
    parser.add_argument("--runs", default=3, type=int)
    parser.add_argument("--work", default=PROJECT / "cache/bench-formats", type=Path)
    parser.add_argument("--all", action="store_true", help="each format with each compression, not only the usual ones")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    whole = yaml.safe_load(given.recipe.read_text(encoding="utf-8"))
    usual = [("raw", word) for word in COMPRESSORS if word] + [(form, "") for form in FORMATS[1:]]
    cases = [(form, word) for form in FORMATS for word in COMPRESSORS if (form, word) != ("raw", "")]
    wanted = cases if given.all else usual
    _build(given.work, whole, [])  # makes the disk
    found = list(_measured(given.work, whole, wanted, given.runs))
    print(_table(given, found))


def _build(work: Path, whole: dict[str, Any], artifacts: Sequence[tuple[str, str]]) -> float:
    """Build; return the seconds of the stage convert, 0 where there is nothing to convert."""
    disk = {**whole.get("disk", {}), "artifacts": [{"type": "raw"}, *map(_artifact, artifacts)]}
    recipe = work / "formats.yml"
    recipe.write_text(yaml.safe_dump({**whole, "disk": disk}, sort_keys=False), encoding="utf-8")
    argv = [sys.executable, "-m", "doit", "-f", str(PROJECT / "dodo.py"), "build", f"image={recipe}"]
    done = subprocess.run([*argv, f"cache={work / 'cache'}"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    seconds = _CONVERT.search(done.stderr)
    if artifacts and not seconds:
        raise SystemExit(f"expected the seconds of the stage convert, found none in:\n{done.stderr}")
    return float(seconds[1]) if seconds else 0.0


def _artifact(case: tuple[str, str]) -> dict[str, str]:
    form, word = case
    return {"type": form, **({"compression": word} if word else {})}


def _measured(
    work: Path, whole: dict[str, Any], cases: Sequence[tuple[str, str]], runs: int
) -> Iterator[tuple[tuple[str, str], list[float], list[float], int]]:
    """Yield each case with the seconds of our runs and of the others', and the size of the artefact."""
    image = work / "cache/formats"
    (raw,) = image.glob("*.raw")
    with tempfile.TemporaryDirectory(dir=work) as scratch:
        for case in cases:
            form, word = case
            print(f"{form} {word}", file=sys.stderr, flush=True)
            name = ".".join([raw.stem, form, *([ENDINGS.get(word, word)] if word else [])])
            ours, theirs = [], []
            for _ in range(runs):
                (image / name).unlink(missing_ok=True)
                ours.append(_build(work, whole, [case]))
                theirs.append(_others(raw, Path(scratch), form, word))
            yield case, ours, theirs, (image / name).stat().st_size


def _others(raw: Path, scratch: Path, form: str, word: str) -> float:
    start, source = time.monotonic(), raw
    if form != "raw":
        source = scratch / f"disk.{form}"
        kind = QEMU.get(form, [form])
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", *kind, raw, source], check=True)
    if word:
        with (scratch / "packed").open("wb") as out:
            subprocess.run([*COMPRESSORS[word], "-c", source], stdout=out, check=True)
        source = scratch / "packed"
    digest_of_file(source)
    return time.monotonic() - start


def _table(given: argparse.Namespace, found: Sequence[tuple[tuple[str, str], list[float], list[float], int]]) -> str:
    size = next((given.work / "cache/formats").glob("*.raw")).stat()
    head = f"`{given.recipe.name}`, a disk of {size.st_size >> 20} MiB, {size.st_blocks >> 11} MiB of it data;"
    load = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    machine = f"runs: {given.runs}, interleaved; {datetime.now(UTC):%Y-%m-%d}; {load}."
    lines = [head, machine, "", "| artefact | MiB | seconds | the host's tools | ratio |", "|---|--:|--:|--:|--:|"]
    for (form, word), ours, theirs, bytes_ in found:
        mine, other = statistics.median(ours), statistics.median(theirs)
        name = f"{form}{f', {word}' if word else ''}"
        lines.append(f"| {name} | {bytes_ / (1 << 20):.0f} | {mine:.1f} | {other:.1f} | {other / mine:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
