"""Compares two builds: their trees path by path, the results of later stages file by file.

* If a stage has equal inputs in both builds but different outputs, it used the clock or random data itself. If its
  inputs differ already, its outputs are not compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oic.chroot import layers, namespace, overlay, toolbox
from oic.errors import one_line
from oic.files import digest_of_file
from oic.handover.packages import LockFile
from oic.ospackage.store import Store
from oic.provider import provider_of
from oic.reproduce.content import what_differs
from oic.reproduce.trees import changes_between

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from oic.provider.belongings import Belongings
    from oic.reproduce.builds import Build
    from oic.stage import Stage

_CHUNK = 1 << 20
"""How many bytes around the first difference of an artefact are examined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A path of the tree, or an artefact, that differs; `made` says what created it, as far as is known."""

    stage: str
    path: str
    what: tuple[str, ...]
    made: str

    def __str__(self) -> str:
        return one_line(f"{self.path}: {', '.join(self.what)}; {self.made}")


def differences_of_trees(builds: tuple[Build, Build], stages: Sequence[Stage[Any]]) -> Iterator[Difference]:
    """Yield the differences in the layers of the stages `chroot`, `rootfs` and `system`."""
    chroot, rootfs, system = stages
    for change in _changes(builds, [_pair(builds, chroot, 0)]):
        yield Difference(stage="chroot", path=change[0], what=change[1], made="in the build environment")
    below = len(builds[0].trees(rootfs))
    packages = _changes(builds, [_pair(builds, rootfs, number) for number in range(below)])
    whose = _belongings(builds[0], rootfs) if packages else None
    for path, what in packages:
        yield Difference(stage="rootfs", path=path, what=what, made=whose.origin_of(path) if whose else "")
    for path, what in _changes(builds, [_pair(builds, system, below)]):
        made = "made by a setting or a command of the recipe"
        yield Difference(stage="system", path=path, what=what, made=made)


def _pair(builds: tuple[Build, Build], stage: Stage[Any], number: int) -> tuple[Path, Path]:
    first, second = (build.trees(stage)[number] for build in builds)
    return first, second


def _changes(builds: tuple[Build, Build], pairs: Sequence[tuple[Path, Path]]) -> list[tuple[str, tuple[str, ...]]]:
    """Return each path that differs in pairs of layers, and how; the topmost layer counts."""
    spans = (builds[0].span, builds[1].span)
    found: dict[str, tuple[str, ...]] = {}
    for first, second in pairs:
        if layers.read(first.parent).digest != layers.read(second.parent).digest:
            found |= {one.path: one.what for one in namespace.call(changes_between, first, second, spans)}
    return sorted(found.items())


def _belongings(build: Build, rootfs: Stage[Any]) -> Belongings:
    own = build.own(rootfs)
    work = own.path("work/belongings")
    work.parent.mkdir(exist_ok=True)
    with toolbox.workspace(work):
        return namespace.call(_read_belongings, own, build.trees(rootfs), work, writes=[work])


def _read_belongings(rootfs: Stage[Any], trees: Sequence[Path], work: Path) -> Belongings:
    store = Store(rootfs.cache / "store")
    packages = rootfs.read(LockFile).lock.sets[rootfs.slice.set]
    with overlay.merged(trees, work / "root") as root:
        members = [(package, store.path(package.sha256)) for package in packages]
        return provider_of(rootfs.slice.provider).belongings(members, root)


def differences_of_artefacts(builds: tuple[Build, Build], stages: Sequence[Stage[Any]]) -> Iterator[Difference]:
    """Yield the differences in the outputs of each stage whose inputs are equal."""
    for stage in stages:
        first, second = (build.own(stage) for build in builds)
        if any(digest_of_file(a) != digest_of_file(b) for a, b in zip(first.inputs, second.inputs, strict=True)):
            continue
        for one, other in zip(_written(first), _written(second), strict=False):
            if digest_of_file(one) != digest_of_file(other):
                name = str(one.relative_to(first.directory))
                what = tuple(what_differs(*_first_difference(one, other), (builds[0].span, builds[1].span)))
                made = f"made by the stage {stage.name} from the same inputs ({first.log})"
                yield Difference(stage=stage.name, path=name, what=what, made=made)


def _written(stage: Stage[Any]) -> list[Path]:
    """Return the files that a stage wrote, and those in the image's directory that its hand-overs name."""
    files = list(map(stage.path, stage.files))
    files += [stage.cache / place for place in stage.artefact_paths() if place.startswith(f"{stage.image}/")]
    found = [file for file in sorted({*files}) if file.is_file()]
    return found or list(stage.outputs)


def _first_difference(one: Path, other: Path) -> tuple[bytes, bytes]:
    with one.open("rb") as first, other.open("rb") as second:
        while (chunks := (first.read(_CHUNK), second.read(_CHUNK))) and chunks[0] == chunks[1] and chunks[0]:
            pass
    return chunks
