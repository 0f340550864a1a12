"""Builds a template of a public tool that names repositories which cannot be reached here, and says what came of it.

    template ─copy─> mirror, url, pkey rewritten ─┬─ what the distribution lacks ─made─> the repositories, served
                                                  └─ oic build ─ oic boot-test ─> a row of a table

Nothing else of the copy is changed. A package that the distribution does not have is made for the first repository of
the template that may have it; without one, for the stand-in of the distribution.

``python -m images.foreign PLACE TEMPLATE…`` in ``tests/`` does so for each, boots what it has built, and prints the
table; a directory stands for the templates in it.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from standin.serve import serving

from oic.config.final import load_config
from oic.errors import OicError
from oic.ospackage.globs import glob_matches

from .copied import copy_template, rewrite
from .lacking import Lacking, lacking_of
from .mirrors import Mirror, NoMirrorError, mirror_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from standin.vendor import Made

    from oic.config.model import FinalConfig
    from oic.config.repository import Repository

OIC = Path(sys.executable).with_name("oic")
MOST_NAMED = 4
"""Packages of a repository that a row names; of more, it has the number."""
HEAD = "| template | made for it | builds | boots |\n|---|---|---|---|"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of a template; `builds` and `boots` are ``yes`` or what holds it up."""

    template: Path
    made: tuple[str, ...] = ()
    builds: str = ""
    boots: str = ""
    said: str = field(default="", repr=False)

    @property
    def row(self) -> str:
        """Return its row of the table."""
        made = "; ".join(self.made) or "-"
        cells = (f"`{self.template.stem}`", made, self.builds, self.boots or "-")
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def templates_in(places: Iterable[Path]) -> Iterator[Path]:
    """Yield the templates of files and directories."""
    for place in places:
        yield from sorted(place.rglob("*.yml")) if place.is_dir() else [place]


def tried(template: Path, place: Path, *, boot: bool) -> Tried:
    """Build a template in `place`, where everything that it wants is served meanwhile, and boot it."""
    copy = copy_template(template, place / "templates" / template.stem)
    try:
        target = load_config(copy, {}).target
        if target.image_type != "raw":
            return Tried(template=template, builds=f"not tried: an image of type {target.image_type}")
        mirror = mirror_of(target.dist, place / "served" / template.stem)
    except (OicError, NoMirrorError) as error:
        return Tried(template=template, builds=f"no: {error}")
    with serving(mirror.tree, prepare=mirror.prepare) as served, _trusting(served.ca):
        rewrite(copy, served.url, mirror)
        try:
            config = load_config(copy, {})
            if config.unbuilt:
                return Tried(template=template, builds=f"no: {'; '.join(map(_without_place, config.unbuilt))}")
            made = _provide(config, mirror, lacking_of(config, place / "probe"))
        except OicError as error:
            return Tried(template=template, builds=f"no: {error}")
        return _built(Tried(template=template, made=tuple(made)), copy, place / "cache", boot=boot)


@contextlib.contextmanager
def _trusting(ca: Path) -> Iterator[None]:
    """Let this process and those that it starts trust an authority; the host's mirror needs none."""
    os.environ["OIC_CA"] = str(ca)
    try:
        yield
    finally:
        del os.environ["OIC_CA"]


def _built(trial: Tried, copy: Path, cache: Path, *, boot: bool) -> Tried:
    status, said = _oic("build", copy, cache)
    if status:
        return replace(trial, builds=f"no: {_failure(said)}", said=said)
    trial = replace(trial, builds="yes", said=said)
    if not boot:
        return trial
    status, said = _oic("boot-test", copy, cache)
    return replace(trial, boots=f"no: {_failure(said)}" if status else "yes", said=trial.said + said)


def _oic(word: str, copy: Path, cache: Path) -> tuple[int, str]:
    argv = [str(OIC), word, str(copy), f"cache={cache}"]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def _failure(said: str) -> str:
    lines = [line for line in said.splitlines() if " failed: " in line or line.startswith("error: ")]
    return lines[-1] if lines else said[-500:]


def _without_place(line: str) -> str:
    return re.sub(r"^\S+:\d+: ", "", line)


def _provide(config: FinalConfig, mirror: Mirror, lacking: Lacking) -> Iterator[str]:
    """Make what the distribution lacks, publish it, and yield who has what."""
    repositories = [entry for entry in config.repositories if entry.of_recipe and not entry.files]
    chosen: defaultdict[str, list[Made]] = defaultdict(list)
    for package in lacking.packages:
        of_kernel = package.kernel or package.name in config.system.kernel.packages
        chosen[_holder(package, repositories, of_kernel=of_kernel)].append(package)
    mirror.publish(repositories, chosen, lacking.kernel)
    for name, packages in chosen.items():
        said = ", ".join(map(str, packages)) if len(packages) <= MOST_NAMED else f"{len(packages)} packages"
        yield f"{name or 'the distribution'}: {said}"


def _holder(package: Made, repositories: Iterable[Repository], *, of_kernel: bool) -> str:
    """Return the repository that a package is made for; empty for the distribution's own."""
    fitting = [entry for entry in repositories if not entry.allow_packages or _allows(entry, package)]
    named = [entry for entry in fitting if entry.allow_packages]
    kernels = [entry for entry in fitting if of_kernel == any("kernel" in word for word in entry.components)]
    return next((entry.name for entry in (*named, *kernels, *fitting)), "")


def _allows(entry: Repository, package: Made) -> bool:
    return any(
        glob_matches(package.name, word) or word.startswith((f"{package.name}_", f"{package.name}-"))
        for word in entry.allow_packages
    )


def main(words: list[str]) -> None:
    """Try the templates that the words name in a place, and print the table."""
    place, *places = map(Path, words)
    sys.stdout.write(f"{HEAD}\n")
    for template in templates_in(places):
        found = tried(template.absolute(), place.absolute(), boot=True)
        (place / f"{template.stem}.log").write_text(found.said)
        sys.stdout.write(f"{found.row}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
