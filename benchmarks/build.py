"""Measures the time and memory of each stage of a build, and of mmdebstrap or dnf: ``make bench``; see ``--help``.

    warm-up build ─> a server on loopback ─┬─ doit build         (an empty cache each time)  ┐
                                           └─ mmdebstrap or dnf  (the same packages)         ┴ interleaved

* Both fetch the same index and packages from the same server, check signatures, solve, unpack, configure and create an
  initramfs; both write to the same disk; neither syncs.
* The names and versions that the tool installed are compared with the lock; the benchmark fails if they differ.
* This is not a test: the figures are from one machine at one time.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from measure import Cost, measured

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

PROJECT = Path(__file__).parent.parent
TOOLS = {"deb": "mmdebstrap", "rpm": "dnf"}


def main() -> None:
    """Run the benchmark and print its tables in markdown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recipe", default=PROJECT / "recipes/edge.yml", type=Path)
    parser.add_argument("--runs", default=3, type=int)
    parser.add_argument(
        "--work", default=PROJECT / "cache/bench", type=Path, help="directory whose warm-up build is kept between runs"
    )
    given = parser.parse_args()
    warm, image = given.work.absolute() / "warm", given.recipe.stem
    given.work.mkdir(parents=True, exist_ok=True)
    log = given.work / "log"
    log.mkdir(exist_ok=True)

    def warm_up(target: dict[str, str]) -> None:
        print("warm-up build", file=sys.stderr, flush=True)
        measured(_build(_bench_recipe(given.recipe, target, given.work / "recipe"), warm), log / "warm.log")

    tool = importlib.import_module(TOOLS[_family(given.recipe)])
    builds, tool_runs = [], []
    with tool.source(warm, image, warm_up) as target, tempfile.TemporaryDirectory(dir=given.work) as scratch:
        recipe = _bench_recipe(given.recipe, target, Path(scratch))
        for number in range(1, given.runs + 1):
            print(f"run {number} of {given.runs}", file=sys.stderr, flush=True)
            builds.append(_measured_build(recipe, Path(scratch) / "cache", log / f"build-{number}.log"))
            other = Path(scratch) / "other"
            tool_runs.append(_measured_tool(tool, warm / image, target, other, log / f"{tool.__name__}-{number}.log"))
    print(_report(given.recipe, warm / image, tool, builds, tool_runs))


def _family(recipe: Path) -> str:
    target = _plain(recipe)["target"]
    return str(_plain(PROJECT / "oic/distributions" / target["os"] / target["dist"] / "distribution.yml")["provider"])


def _plain(file: Path) -> dict[str, Any]:
    plain: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return plain


def _build(recipe: Path, cache: Path) -> list[str]:
    return [sys.executable, "-m", "doit", "-f", str(PROJECT / "dodo.py"), "build", f"image={recipe}", f"cache={cache}"]


def _bench_recipe(recipe: Path, target: dict[str, str], place: Path) -> Path:
    """Write a recipe that is `recipe` with another `target`, in a directory without its lock."""
    plain = _plain(recipe)
    parts = {"include": [str(recipe.absolute())], "image": plain["image"], "target": {**plain["target"], **target}}
    path = place / recipe.name
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(parts), encoding="utf-8")
    return path


def _measured_build(recipe: Path, cache: Path, log: Path) -> dict[str, Cost]:
    """Measure a build with an empty cache; doit prints ``.  solve:edge`` when a stage begins."""
    os.sync()
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}

    def phase_of(line: str) -> str | None:
        return line[1:].strip().partition(":")[0] if line.startswith(".  ") else None

    costs = measured(_build(recipe, cache), log, env=env, phase_of=phase_of)
    _remove(cache)
    return costs


def _measured_tool(
    tool: ModuleType, directory: Path, target: dict[str, str], place: Path, log: Path
) -> dict[str, Cost]:
    """Measure the tool installing the lock's packages; `directory` is that of the image of the warm-up build."""
    place.mkdir()
    tree = place / "tree"
    argv = tool.command(directory, target, tree)
    os.sync()
    costs = measured(argv, log)
    packages = json.loads((directory / "lock.json").read_text())["sets"]["image"]
    wanted = {f"{package['name']} {package['version']}" for package in packages}
    if different := tool.installed(tree) ^ wanted:
        raise SystemExit(f"{tool.__name__} installed other packages than the lock's: {sorted(different)}")
    _remove(place)
    return costs


def _remove(tree: Path) -> None:
    """Remove a tree with files of several owners; for an ordinary user, they exist only in a user namespace."""
    if os.geteuid() == 0:
        shutil.rmtree(tree)
    else:
        subprocess.run(["unshare", "--map-auto", "--map-root-user", "rm", "-rf", str(tree)], check=True)


def _report(
    recipe: Path,
    directory: Path,
    tool: ModuleType,
    builds: Sequence[dict[str, Cost]],
    tool_runs: Sequence[dict[str, Cost]],
) -> str:
    manifest = json.loads(next(directory.glob("*.manifest.json")).read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    lines = [
        f"`{recipe.name}`, {len(manifest['packages'])} packages;",
        f"runs: {len(builds)}, interleaved; {datetime.now(UTC):%Y-%m-%d};",
        f"{os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}, load {os.getloadavg()[2]:.1f}.",
        "",
        *_stages(tool, builds, tool_runs),
        "",
        *_same_work(tool, builds, tool_runs),
    ]
    return "\n".join(lines)


def _stages(tool: ModuleType, builds: Sequence[dict[str, Cost]], tool_runs: Sequence[dict[str, Cost]]) -> list[str]:
    names = [name for name in builds[0] if name not in ("", "before", "after")]
    return [
        "| stage | min s | median s | max s | peak MiB |",
        "|---|--:|--:|--:|--:|",
        *(_row(name, [costs[name] for costs in builds]) for name in names),
        _row("**whole build**", [costs[""] for costs in builds]),
        _row(f"**{tool.__name__}**", [costs[""] for costs in tool_runs]),
    ]


def _same_work(tool: ModuleType, builds: Sequence[dict[str, Cost]], tool_runs: Sequence[dict[str, Cost]]) -> list[str]:
    whole = [costs[""].seconds for costs in builds]
    same = [sum(costs[name].seconds for name in tool.COMPARABLE) for costs in builds]
    theirs = [costs[""].seconds for costs in tool_runs]
    by_same = [their / our for their, our in zip(theirs, same, strict=True)]
    by_whole = [their / our for their, our in zip(theirs, whole, strict=True)]
    return [
        "| the same work | min | median | max |",
        "|---|--:|--:|--:|",
        f"| {', '.join(tool.COMPARABLE)}: seconds | {_spread(same)} |",
        f"| {tool.__name__}: seconds | {_spread(theirs)} |",
        f"| {tool.__name__} ÷ these stages, run by run | {_spread(by_same, 2)} |",
        f"| {tool.__name__} ÷ the whole build, run by run | {_spread(by_whole, 2)} |",
    ]


def _row(name: str, costs: Sequence[Cost]) -> str:
    peak = max(cost.peak for cost in costs) / 2**20
    return f"| {name} | {_spread([cost.seconds for cost in costs])} | {peak:.0f} |"


def _spread(values: Sequence[float], digits: int = 1) -> str:
    return " | ".join(f"{value:.{digits}f}" for value in (min(values), statistics.median(values), max(values)))


if __name__ == "__main__":
    main()
