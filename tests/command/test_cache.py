"""What ``clean`` and ``prune`` remove, what they say of it, and who waits for whom in a cache."""

from __future__ import annotations

import fcntl
import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from oic.chroot import creation
from oic.chroot.tree import Filled
from oic.ospackage.store import Store
from oic.values import digest_of

from .conftest import OIC

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from oic.values import Digest

    from .conftest import Desk


@pytest.fixture
def cache(desk: Desk) -> Path:
    assert desk.oic("validate", "first.yml").status == 0
    return desk.home / ".cache/oic"


def write_image(cache: Path) -> Path:
    """Write what builds of two versions of a recipe leave in its directory."""
    image = cache / "first"
    for name in ("first-0.9.0.raw", "first-1.0.0.raw", "lock.json", "log/solve.log", "work/part", "slice/solve.json"):
        (image / name).parent.mkdir(exist_ok=True)
        (image / name).write_bytes(b"x" * 50_000)
    return image


def test_clean_removes_what_any_version_wrote_and_says_each_path_with_its_size(desk: Desk, cache: Path) -> None:
    image = write_image(cache)
    before = sorted(image.rglob("*"))
    said = desk.oic("clean", "first.yml", "--dry-run").out.splitlines()
    assert [line.split()[-3] for line in said] == [
        str(image / name) for name in ("first-0.9.0.raw", "first-1.0.0.raw", "lock.json", "log", "slice", "work")
    ]
    assert all(line.startswith("would remove ") and line.endswith("  0.1 MB") for line in said)
    assert sorted(image.rglob("*")) == before
    removed = desk.oic("clean", "first.yml").out
    assert removed.splitlines() == [line.replace("would remove", "removed") for line in said]
    assert [path.name for path in image.iterdir()] == [".claim"]
    assert desk.oic("clean", "first.yml").out == "nothing to remove\n"


def test_clean_of_a_stage_removes_its_own_files_only(desk: Desk, cache: Path) -> None:
    image = write_image(cache)
    said = desk.oic("clean", "solve", "first.yml").out
    gone = ("slice/solve.json", "log/solve.log", "lock.json")
    assert [line.split()[1] for line in said.splitlines()] == [str(image / name) for name in gone]
    assert (image / "first-1.0.0.raw").exists()
    assert not any((image / name).exists() for name in gone)


def test_clean_takes_nothing_from_another_recipe_of_that_name(desk: Desk, cache: Path) -> None:
    image = write_image(cache)
    (image / "recipe").write_text(f"{desk.here}/first.yml\n")
    (desk.here / "other").mkdir()
    (desk.here / "other/first.yml").write_text((desk.here / "first.yml").read_text())
    for words in (["clean"], ["explain"]):
        ran = desk.oic(*words, "other/first.yml")
        assert ran.status != 0
        assert "first.yml, found another recipe of that name" in ran.err
    assert (image / "lock.json").exists()


def fill(part: Path) -> Filled:
    (part / "tree/etc").mkdir()
    (part / "tree/etc/motd").write_text(part.name * 1000)
    (part / "tree/etc").chmod(0o700)
    os.chown(part / "tree/etc", 33, 33)
    return Filled(epoch=1)


def write_layer(cache: Path, name: str) -> Path:
    return creation.get_or_create(cache, digest_of({"of": name}), fill).place


def write_blobs(cache: Path) -> tuple[Digest, Digest]:
    store = Store(cache / "store")
    return store.add(b"named"), store.add(b"not named")


def test_prune_removes_the_layers_and_blobs_that_no_image_names(desk: Desk, cache: Path) -> None:
    kept, lost = write_layer(cache, "kept"), write_layer(cache, "lost")
    named, unnamed = write_blobs(cache)
    (cache / "store/partial").mkdir()
    (cache / "store/partial" / unnamed).write_bytes(b"not")
    (cache / "first/lock.json").write_text(f'{{"sha256": "{named}"}}')
    (cache / "first/initrd").mkdir()
    (cache / "first/initrd/rootfs.json").write_text(f'{{"layers": [{{"place": "layers/{kept.name}"}}]}}')
    before = sorted(cache.rglob("*"))
    said = desk.oic("prune", "dry_run=yes").out
    assert f"would remove {lost}  " in said
    assert "would remove 1 layer and 2 blobs that no image names" in said
    assert sorted(path for path in cache.rglob("*") if path.name != ".in-use") == before
    said = desk.oic("prune").out
    assert f"removed {lost}  " in said
    assert "removed 1 layer and 2 blobs that no image names, 0.1 MB freed" in said
    assert (kept / "tree/etc/motd").exists()
    assert not lost.exists()
    assert [path.name for path in (cache / "store").rglob("*") if path.is_file()] == [named]
    assert len(list((cache / "layers").glob("*.json"))) == 1
    assert write_layer(cache, "lost").is_dir(), "it is made again where it is needed"
    (cache / "first/lock.json").unlink()
    assert "removed 1 layer and 1 blob" in desk.oic("prune").out


@contextmanager
def started_while(file: Path, how: int, desk: Desk, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command while a file is locked, and wait for its end when it is not any more."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, how)
    with subprocess.Popen(
        [OIC, *words],
        cwd=desk.here,
        env=desk.environment,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            os.close(descriptor)


def lines_until(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr
    said = []
    for line in process.stderr:
        said.append(line)
        if text in line:
            return
    raise AssertionError(f"it ended without: {text}: {said}")


def test_prune_waits_for_builds_that_may_have_what_no_file_names_yet(desk: Desk, cache: Path) -> None:
    _, unnamed = write_blobs(cache)
    with started_while(cache / ".in-use", fcntl.LOCK_SH, desk, "prune") as waiting:
        lines_until(waiting, f"waiting for the builds in {cache} to end")
        assert Store(cache / "store").has(unnamed)
    assert waiting.returncode == 0
    assert not Store(cache / "store").has(unnamed)


def test_a_build_waits_for_prune_and_prune_goes_with_no_other_task(desk: Desk, cache: Path) -> None:
    with started_while(cache / ".in-use", fcntl.LOCK_EX, desk, "clean", "first.yml") as waiting:
        lines_until(waiting, f"waiting for oic prune to have done with {cache}")
    assert waiting.returncode == 0
    ran = desk.oic("verify-cache", "prune")
    assert ran.err == "error: expected prune alone on the command line, found it beside verify-cache\n"
    assert ran.status == 3


def test_who_waits_is_told_for_which_process_and_since_when(desk: Desk, cache: Path) -> None:
    (cache / "first/.claim").write_text("4711 2026-11-24 10:30:00\n")
    with started_while(cache / "first/.claim", fcntl.LOCK_EX, desk, "clean", "first.yml") as waiting:
        lines_until(waiting, "waiting for another build of first: process 4711 has it since 2026-11-24 10:30:00\n")
    assert waiting.returncode == 0
    number, day, time = (cache / "first/.claim").read_text().split()
    assert (int(number), len(day), len(time)) == (waiting.pid, 10, 8)
