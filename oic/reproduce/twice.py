"""Builds an image twice from its verified packages, the second time with a clock that is a day ahead, and compares.

::

    cache/<image>/verified.json … ──┬─> reproduce/first/    chroot rootfs system │ initrd fs boot disk evidence
    cache/store ────────────────────┴─> reproduce/second/   chroot rootfs system │ initrd fs boot disk evidence
                                                   compared here ┴ and here, if the trees are equal

* Nothing is downloaded: both builds use the packages of the image's last build.
* If there is no library for another clock, or it does not work in the image, that is always reported.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from oic.chroot import clock, creation
from oic.chroot.clock import LIBRARY, Clock
from oic.errors import OicError
from oic.files import write_json
from oic.reproduce.builds import DAY, Build, has_shifted_clock
from oic.reproduce.compare import differences_of_artefacts, differences_of_trees
from oic.stages.evidence import products_of
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
    """Remove the two builds of an earlier run; return their directory."""
    place = stages[0].path("reproduce")
    claim.hold(stages[0].directory, stages[0].recipe)
    if place.exists():
        creation.remove([place])
    return place


def reproduce(stages: Sequence[Stage[Any]], say: Callable[[str], None]) -> None:
    """Build the image twice; report that the builds are equal, or raise OicError with the differences."""
    place = remove_builds(stages)
    after = [stage.name for stage in stages].index("verify") + 1
    verified, trees, rest = stages[:after], stages[after : after + 3], stages[after + 3 :]
    if tuple(stage.name for stage in trees) != _TREES:
        raise ValueError(f"expected the stages {_TREES} after verify")
    library = clock.library()
    first, second = (
        Build(cache=place / name, clock=Clock(library=library, ahead=ahead) if library else None)
        for name, ahead in (("first", 0), ("second", DAY))
    )
    builds = (first, second)
    for build in builds:
        build.prepare(verified)
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
    """Return a description of the clocks of both builds; remove a clock that did not work."""
    first, second = builds
    if second.clock and has_shifted_clock(second, tree):
        moments = (datetime.fromtimestamp(build.span.start, UTC) for build in builds)
        return " and ".join(f"{moment:%Y-%m-%d %H:%M} UTC" for moment in moments) + " by the clock of its programs"
    seconds = f"{second.start - first.start:.0f} s apart by the host's own clock"
    if second.clock:
        library = second.clock.library
        first.clock = second.clock = None  # the programs used the host's clock
        return f"{seconds}: {library} has no effect on the image's programs"
    return f"{seconds}: a change of the date was not tested; install libfaketime, or set {LIBRARY}"


def _differing(found: Sequence[Difference], place: Path, report: Path, how: str) -> OicError:
    lines = "\n".join(str(one) for one in found)
    hint = f"both builds are in {place}, the report is {report}"
    things = "1 thing differs" if len(found) == 1 else f"{len(found)} things differ"
    return OicError(f"{things} between two builds of the same packages, {how}:\n{lines}", hint=hint)


def _same(first: Build, rest: Sequence[Stage[Any]], how: str) -> str:
    made = products_of(first.own(rest[-1]))
    named = ", ".join(f"{one.file.path.rpartition('/')[2]} sha256:{one.file.sha256}" for one in made)
    return f"both builds are equal: {named}, built {how}"
