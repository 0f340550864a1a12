"""Kill a build at any point of any stage: nothing of it stays, the next one comes to the same bytes."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from .conftest import outputs_of
from .edits import EDITS
from .killing import Point, children, interrupt, kill, litter, lose, mounted, orphans_come_here, stopped, terminate
from .place import RECIPE, STAGES, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Built

pytestmark = pytest.mark.mirror
HANDOVERS = {
    "metadata": "index",
    "solve": "lock",
    "verify": "trust",
    "disk": "image",
    "evidence": "small-1.0.0.manifest",
}


def rename_of(stage: str) -> Point:
    """Just before the hand-over gets its name."""
    return Point(stage=stage, event="os.rename", text=f"small/{HANDOVERS.get(stage, stage)}.json")


def unrecorded(stage: str) -> Point:
    """The stage is done, but doit has not written so."""
    return Point(stage=stage, event="record", text=f"{stage}:small")


def common(stage: str) -> list[Point]:
    return [
        Point(stage=stage, event="open", text=f"/{stage}."),
        rename_of(stage),
        Point(stage=stage, event="os.rename", text=f"slice/{stage}.json"),
        unrecorded(stage),
    ]


def at(stage: str, event: str, text: str = "", count: int = 1, delay: float = 0) -> Point:
    return Point(stage=stage, event=event, text=text or "/", count=count, delay=delay)


OWN = [
    at("metadata", "subprocess.Popen", "gpg"),
    at("metadata", "socket.connect", "("),
    at("solve", "open", "sha256/", 2),
    at("solve", "open", "/solve.", delay=0.7),
    at("download", "socket.connect", "(", 3),
    at("download", "os.rename", "partial/", 5),
    at("download", "open", "partial/", 4),
    at("verify", "open", "sha256/", 40),
    at("verify", "open", "sha256/", 90),
    at("chroot", "open", "layers/", 100),
    at("chroot", "open", "layers/", 400),
    at("chroot", "os.utime", "layers/", 50),
    at("chroot", "os.rename", "layers/", 2),
    at("rootfs", "open", "var/lib/dpkg", 20),
    at("rootfs", "subprocess.Popen", "dpkg", 2, delay=1.0),
    at("rootfs", "subprocess.Popen", "--configure", delay=0.7),
    at("rootfs", "os.utime", "layers/", 50),
    at("rootfs", "os.rename", "layers/", 2),
    at("system", "subprocess.Popen", "useradd", delay=0.01),
    at("system", "subprocess.Popen", "/bin/sh"),
    at("system", "shutil.copyfile", "vmlinuz"),
    at("system", "os.rename", "small/initrd-inputs.json"),
    at("system", "os.rename", "small/boot-inputs.json"),
    at("system", "os.rename", "layers/", 2),
    at("initrd", "subprocess.Popen", "mkinitramfs", delay=0.5),
    at("initrd", "subprocess.Popen", "mkinitramfs", delay=4.0),
    at("initrd", "shutil.copyfile", "initrd.img"),
    at("initrd", "os.rename", "initrd.img"),
    at("fs", "os.truncate", "rootfs.img"),
    at("fs", "subprocess.Popen", "mke2fs", delay=0.3),
    at("fs", "subprocess.Popen", "debugfs", delay=0.1),
    at("fs", "os.rename", "rootfs.img"),
    at("boot", "os.truncate", "esp.img"),
    at("boot", "subprocess.Popen", "mcopy", 3, delay=0.02),
    at("boot", "os.rename", "esp.img"),
    at("disk", "open", "small-1.0.0.raw", 2),
    at("disk", "open", "small-1.0.0.raw", 3, delay=0.2),
    at("disk", "os.rename", "small-1.0.0.raw"),
    at("evidence", "open", "manifest", 2),
    at("evidence", "open", "trust.json"),
]
QUICK = {"fs-subprocess.Popen-mke2fs-1+0.3s", "disk-os.rename-small-1.0.0.raw-1", "system-subprocess.Popen-_bin_sh-1"}
COMMON = [point for stage in STAGES for point in common(stage)]
POINTS = sorted([*OWN, *COMMON], key=lambda point: STAGES.index(point.stage))


@pytest.fixture(autouse=True)
def subreaper() -> Iterator[None]:
    with orphans_come_here():
        yield


@pytest.mark.parametrize(
    "point", [pytest.param(one, id=str(one), marks=() if str(one) in QUICK else pytest.mark.slow) for one in POINTS]
)
def test_a_killed_build_leaves_nothing_and_goes_on_to_the_same_bytes(point: Point, place: Place, built: Built) -> None:
    lose(place, point.stage)
    status, said = stopped(place, point, kill)
    assert status == -signal.SIGKILL, said
    assert children() == []
    assert mounted(place) == []
    ran = place.doit("build").succeeded()
    assert point.stage in ran.stages() or point.event == "record", "what is done is done, recorded or not"
    assert outputs_of(place) == built.outputs
    assert litter(place) == []
    assert place.doit("build").succeeded().ran == []


REVERTED = {
    "hostname": ("systemConfig.hostname", ("system", "fs", "disk", "evidence")),
    "cmdline": ("systemConfig.kernel.cmdline", ("boot", "disk", "evidence")),
    "package": ("systemConfig.packages", ("solve", "download", "verify", "chroot", "rootfs")),
    "modules": ("systemConfig.kernel.enableExtraModules", ("initrd",)),
}


@pytest.mark.parametrize(
    ("field", "stage"),
    [
        pytest.param(field, stage, id=f"{name}-{stage}", marks=() if stage == "system" else pytest.mark.slow)
        for name, (field, stages) in REVERTED.items()
        for stage in stages
    ],
)
def test_an_edit_killed_before_it_was_recorded_and_taken_back_leaves_no_trace(
    field: str, stage: str, place: Place, built: Built
) -> None:
    edit = next(edit for edit in EDITS if edit.field == field)
    place.write(edit.edited())
    stopped(place, unrecorded(stage), kill)
    assert children() == []
    place.write(RECIPE)
    place.doit("build").succeeded()
    assert outputs_of(place) == built.outputs


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_build_killed_again_and_again_gets_there_in_the_end(seed: int, place: Place, built: Built) -> None:
    """Moments that nobody chose; each round lasts longer on average, so that the longest stage comes to its end."""
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
    assert litter(place) == []


SIGNALS = {"Ctrl-C": (interrupt, 130), "SIGTERM": (terminate, 143)}
WHILE = {
    "fs": at("fs", "subprocess.Popen", "mke2fs", delay=0.3),
    "rootfs": at("rootfs", "subprocess.Popen", "--configure", delay=1.0),
    "initrd": at("initrd", "subprocess.Popen", "mkinitramfs", delay=1.0),
    "download": at("download", "open", "partial/", 4),
    "disk": at("disk", "open", "small-1.0.0.raw", 3, delay=0.2),
    "metadata": at("metadata", "socket.connect", "(", delay=0.05),
}


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize(
    "stage", [pytest.param(stage, marks=() if stage == "fs" else pytest.mark.slow) for stage in WHILE]
)
def test_a_stopped_build_says_so_and_goes_on_later(name: str, stage: str, place: Place, built: Built) -> None:
    stop, expected = SIGNALS[name]
    lose(place, stage)
    status, said = stopped(place, WHILE[stage], stop)
    assert status == expected, said
    assert said.count("stopped: what is finished stays") == 1, said
    assert "Traceback" not in said, said
    assert children() == []
    place.doit("build").succeeded()
    assert outputs_of(place) == built.outputs
    assert litter(place) == []
