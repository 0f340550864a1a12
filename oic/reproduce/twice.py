"""An image built twice from its verified packages, the second time by a clock that is a day ahead, and compared.

::

    cache/<image>/verified.json … ──┬─> reproduce/first/    chroot rootfs system │ initrd fs boot disk evidence
    cache/store ────────────────────┴─> reproduce/second/   chroot rootfs system │ initrd fs boot disk evidence
                                                   compared here ┴ and here, where nothing differed

* Nothing is fetched: both have the packages of the image's own build.
* Where no library for another clock is to be had, or it does not work in the image, that is said, always.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from oic.chroot import clock, layers
from oic.chroot.clock import LIBRARY, Clock
from oic.errors import OicError
from oic.files import write_json
from oic.handover.disk import Products
from oic.reproduce.builds import DAY, Build, saw_another_day
from oic.reproduce.compare import differences_of_artefacts, differences_of_trees
from oic.tasks import claim
from oic.values import to_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from oic.reproduce.compare import Difference
    from oic.stage import Stage

REPORT = "reproduce.json"
_TREES = ("chroot", "rootfs", "system")


def remove_builds(stages: Sequence[Stage[Any]]) -> Path:
    """Remove the two builds of an earlier run; return where they were."""
    place = stages[0].path("reproduce")
    claim.hold(stages[0].directory, stages[0].recipe)
    if place.exists():
        layers.remove([place])
    return place


def reproduce(stages: Sequence[Stage[Any]], say: Callable[[str], None]) -> None:
    """Build the image twice; say that it is the same twice, or raise OicError naming how many things are not."""
    place = remove_builds(stages)
    after = [stage.name for stage in stages].index("verify") + 1
    given, trees, rest = stages[:after], stages[after : after + 3], stages[after + 3 :]
    if tuple(stage.name for stage in trees) != _TREES:
        raise ValueError(f"expected the stages {_TREES} after verify")
    library = clock.library()
    first, second = (
        Build(cache=place / name, clock=Clock(library=library, ahead=ahead) if library else None)
        for name, ahead in (("first", 0), ("second", DAY))
    )
    builds = (first, second)
    for build in builds:
        build.prepare(given)
    _run(builds, trees, say)
    how = _clocks_seen(builds, trees[-1])
    found = list(differences_of_trees(builds, trees))
    if not found:
        _run(builds, rest, say)
        found = list(differences_of_artefacts(builds, rest))
    write_json(stages[0].path(REPORT), {"builds": how, "differences": to_plain(found)})
    if found:
        raise _differing(found, place, stages[0].path(REPORT), how)
    say(_same(first, rest, how))
    remove_builds(stages)


def _run(builds: tuple[Build, Build], stages: Sequence[Stage[Any]], say: Callable[[str], None]) -> None:
    for name, build in zip(("first", "second"), builds, strict=True):
        shifted = " a day later" if build.clock and build.clock.ahead else ""
        say(f"the {name} build{shifted}, {stages[0].name} to {stages[-1].name}:")
        build.run(stages)


def _clocks_seen(builds: tuple[Build, Build], tree: Stage[Any]) -> str:
    """Return, in words, by which clocks the trees were made; take away a clock that no program saw."""
    first, second = builds
    if second.clock and saw_another_day(second, tree):
        moments = (datetime.fromtimestamp(build.span.start, UTC) for build in builds)
        return " and ".join(f"{moment:%Y-%m-%d %H:%M} UTC" for moment in moments) + " by the clock of its programs"
    seconds = f"{second.start - first.start:.0f} s apart by the host's own clock"
    if second.clock:
        useless = second.clock.library
        first.clock = second.clock = None  # times of the builds are the host's
        return f"{seconds}: {useless} gives the image's programs no other one"
    return f"{seconds}: what tells the day only was not seen; install libfaketime, or name one by {LIBRARY}"


def _differing(found: Sequence[Difference], place: Path, report: Path, how: str) -> OicError:
    lines = "\n".join(str(one) for one in found)
    hint = f"both builds are in {place}, all of it is in {report}"
    things = "1 thing differs" if len(found) == 1 else f"{len(found)} things differ"
    return OicError(f"{things} between two builds of the same packages, {how}:\n{lines}", hint=hint)


def _same(first: Build, rest: Sequence[Stage[Any]], how: str) -> str:
    disk = next(stage for stage in rest if stage.name == "disk")
    own = first.own(disk)
    made = Products.from_text(own.path(Products.FILE).read_text(encoding="utf-8")).products
    named = ", ".join(f"{one.file.path.rpartition('/')[2]} sha256:{one.file.sha256}" for one in made)
    return f"the same twice: {named}, built {how}"
