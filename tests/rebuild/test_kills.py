"""A build killed at any point of any stage leaves nothing behind, and the next one gives the same bytes."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from .conftest import outputs_of
from .edits import edit_of
from .families import Family, each
from .killing import adopt_orphans, children, delete_outputs, interrupt, kill, leftovers, mounted, stopped, terminate
from .place import STAGES, Place
from .points import COMMON, SHARED, Point, at, before_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Built

pytestmark = pytest.mark.mirror


@pytest.fixture(autouse=True)
def subreaper() -> Iterator[None]:
    with adopt_orphans():
        yield


def points(family: Family) -> list[tuple[str, tuple[Point]]]:
    every = sorted([*SHARED, *family.points, *COMMON], key=lambda point: STAGES.index(point.stage))
    return [(str(point), (point,)) for point in every]


@each("point", points)
def test_a_killed_build_leaves_nothing_and_the_next_gives_the_same_bytes(
    point: Point, place: Place, built: Built
) -> None:
    delete_outputs(place, point.stage)
    status, said = stopped(place, point, kill)
    assert status == -signal.SIGKILL, said
    assert children() == []
    assert mounted(place) == []
    finished = (place.image / f"slice/{point.stage}.json").exists()
    ran = place.doit("build").succeeded()
    assert (point.stage in ran.stages()) != finished, "a finished stage stays finished, recorded or not"
    assert outputs_of(place) == built.outputs
    assert leftovers(place) == []
    assert place.doit("build").succeeded().ran == []


REVERTED = {
    "hostname": ("systemConfig.hostname", ("system", "fs", "disk", "evidence")),
    "cmdline": ("systemConfig.kernel.cmdline", ("boot", "disk", "evidence")),
    "package": ("systemConfig.packages", ("solve", "download", "verify", "chroot", "rootfs")),
    "modules": ("systemConfig.kernel.enableExtraModules", ("initrd",)),
}


def reverted(_family: Family) -> list[tuple[str, tuple[str, str]]]:
    return [
        (f"{name} killed before the record of {stage}", (field, stage))
        for name, (field, stages) in REVERTED.items()
        for stage in stages
    ]


@each("field stage", reverted)
def test_an_edit_killed_before_it_is_recorded_and_then_reverted_has_no_effect(
    field: str, stage: str, place: Place, built: Built
) -> None:
    place.write(edit_of(place.family, field).edited(place.family.recipe))
    stopped(place, before_record(stage), kill)
    assert children() == []
    place.write(place.family.recipe)
    place.doit("build").succeeded()
    assert outputs_of(place) == built.outputs


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_build_killed_many_times_finishes_eventually(seed: int, place: Place, built: Built) -> None:
    """Kills at random times; the rounds get longer on average, so that the longest stage can finish."""
    moments = random.Random(seed)
    shutil.rmtree(place.image)
    shutil.rmtree(place.cache / "layers")
    (place.cache / "doit.db").unlink()
    status = None
    for number in range(60):
        build = place.start("build", start_new_session=True)
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = build.wait(timeout=moments.uniform(0.2, 6 + 2 * number))
        build.kill()
        said, _ = build.communicate()
        assert status in (None, 0), said
        assert children() == []
        assert mounted(place) == []
        if status == 0:
            break
    assert status == 0
    assert outputs_of(place) == built.outputs
    assert leftovers(place) == []


SIGNALS = {"Ctrl-C": (interrupt, 130), "SIGTERM": (terminate, 143)}
WHILE = {
    "fs": at("fs", "subprocess.Popen", "mke2fs", delay=0.3),
    "download": at("download", "open", "partial/", 4),
    "disk": at("disk", "open", "small-1.0.0.raw", 3, delay=0.2),
    "metadata": at("metadata", "socket.connect", "(", delay=0.05),
    "importing keys": at("metadata", "subprocess.Popen", "gpg", 2, delay=0.02),
    "verify": at("verify", "open", "sha256/", 40),
}


def signals(family: Family) -> list[tuple[str, tuple[str, Point]]]:
    every = {**WHILE, "rootfs": family.installing, "initrd": family.generating}
    return [(f"{name} during {stage}", (name, point)) for name in SIGNALS for stage, point in every.items()]


@each("name point", signals)
def test_a_stopped_build_says_so_and_the_next_one_continues(
    name: str, point: Point, place: Place, built: Built
) -> None:
    stop, expected = SIGNALS[name]
    delete_outputs(place, point.stage)
    (place.image / "small-1.0.0.manifest.json").unlink()  # as in a first build
    status, said = stopped(place, point, stop)
    assert status == expected, said
    assert said.count("stopped: what is finished stays") == 1, said
    assert "Traceback" not in said, said
    assert children() == []
    place.doit("build").succeeded()
    assert outputs_of(place) == built.outputs
    assert leftovers(place) == []
