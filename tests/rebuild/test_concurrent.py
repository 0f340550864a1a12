"""Concurrent builds: of one image, of two images, in parallel processes, and with edits in between."""

from __future__ import annotations

import os
import re
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import outputs_of
from .edits import edit_of
from .killing import delete_outputs
from .place import STAGES, Place, Ran

if TYPE_CHECKING:
    import subprocess

    from .conftest import Built

pytestmark = pytest.mark.mirror


def ended(process: subprocess.Popen[str]) -> Ran:
    said, _ = process.communicate(timeout=900)
    return Ran(status=process.returncode, said=said)


def await_stage(build: subprocess.Popen[str], stage: str) -> None:
    """Read the output of a build until this stage begins."""
    assert build.stdout
    assert any(line.startswith(f".  {stage}") for line in build.stdout), "the build ended before the stage"


def test_the_second_build_of_an_image_waits_and_then_has_nothing_to_do(place: Place, built: Built) -> None:
    delete_outputs(place, "fs")
    both = [place.start("build"), place.start("build")]
    first, second = sorted((ended(process).succeeded() for process in both), key=lambda ran: "waiting" in ran.said)
    assert "waiting for another build of small" in second.said
    assert "waiting" not in first.said
    assert first.stages() == {"fs"}
    assert second.ran == []
    assert outputs_of(place) == built.outputs


@pytest.mark.slow
def test_two_builds_of_one_image_from_nothing_give_the_same_bytes(place: Place, built: Built) -> None:
    shutil.rmtree(place.image)
    shutil.rmtree(place.cache / "layers")
    (place.cache / "doit.db").unlink()
    both = [place.start("build"), place.start("build")]
    first, second = sorted((ended(process).succeeded() for process in both), key=lambda ran: -len(ran.ran))
    assert first.stages() == set(STAGES)
    assert second.ran == []
    assert outputs_of(place) == built.outputs


@pytest.mark.slow
def test_an_edit_while_the_first_build_runs_is_built_by_the_second(place: Place, built: Built) -> None:
    first = place.start("build", "disk")
    first.wait(timeout=900)
    ended(first).succeeded()
    delete_outputs(place, "fs")
    slow = place.start("build")
    await_stage(slow, "fs")
    place.write(edit_of(place.family, "systemConfig.hostname").edited(place.family.recipe))
    quick = place.doit("build").succeeded()
    ended(slow).succeeded()
    assert "system" in quick.stages()
    edited = outputs_of(place)
    assert edited != built.outputs
    shutil.rmtree(place.image)
    (place.cache / "doit.db").unlink()
    place.doit("build").succeeded()
    assert outputs_of(place) == edited


@pytest.mark.slow
def test_two_images_build_at_the_same_time_and_create_shared_layers_once(place: Place, built: Built) -> None:
    shutil.rmtree(place.image)
    shutil.rmtree(place.cache / "layers")
    (place.cache / "doit.db").unlink()
    place.write({**place.family.recipe, "image": {"name": "other", "version": "1.0.0"}}, "second.yml")
    both = [place.start("build"), place.start("build", image="second.yml")]
    first, second = [ended(process).succeeded() for process in both]
    assert first.stages() == set(STAGES)
    assert second.stages("second") == set(STAGES)
    assert "waiting" not in first.said + second.said
    assert outputs_of(place) == built.outputs
    trees = [path for path in (place.cache / "layers").iterdir() if path.is_dir()]
    own = "the configuration, and what its initramfs is made from, of each image"
    assert len(trees) == 1 + place.family.layers + 2 * 2, f"a chroot, package layers, {own}"
    assert place.doit("build").succeeded().ran == []
    assert place.doit("build", image="second.yml").succeeded().ran == []


@pytest.mark.slow
def test_a_build_in_parallel_processes_gives_the_same_bytes(place: Place, built: Built) -> None:
    shutil.rmtree(place.image)
    shutil.rmtree(place.cache / "layers")
    (place.cache / "doit.db").unlink()
    ran = place.doit("-n", "2", "-P", "process", "build").succeeded()
    assert ran.stages() == set(STAGES)
    assert outputs_of(place) == built.outputs
    for stage in STAGES:
        assert len(re.findall(rf"^  {stage} +\S.* s\)$", ran.said, re.MULTILINE)) == 1, ran.said
    assert place.doit("-n", "2", "build").succeeded().ran == []


def test_independent_stages_run_in_parallel(place: Place, built: Built) -> None:
    delete_outputs(place, "fs")
    delete_outputs(place, "boot")
    assert place.doit("-n", "2", "build").succeeded().stages() == {"fs", "boot"}
    assert outputs_of(place) == built.outputs


def test_a_killed_process_ends_its_parallel_build_and_the_next_one_continues(place: Place, built: Built) -> None:
    delete_outputs(place, "fs")
    build = place.start("-n", "2", "build", start_new_session=True)
    await_stage(build, "fs")
    for worker in Path(f"/proc/{build.pid}/task/{build.pid}/children").read_text().split():
        os.kill(int(worker), signal.SIGKILL)
    said, _ = build.communicate(timeout=60)
    assert build.returncode == 1, said
    assert said.count("a process of the build was killed by SIGKILL") == 1, said
    assert "Traceback" not in said
    place.doit("build").succeeded()
    assert outputs_of(place) == built.outputs


def test_killing_a_parallel_build_ends_its_processes(place: Place, built: Built) -> None:
    delete_outputs(place, "fs")
    build = place.start("-n", "2", "build", start_new_session=True)
    await_stage(build, "fs")
    build.kill()
    build.communicate(timeout=60)  # it returns only if no worker has the pipe open
    place.doit("build").succeeded()
    assert outputs_of(place) == built.outputs
