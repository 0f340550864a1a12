"""The host lacks something: an own cache, sub-ids, disk space. The error has one line, and a later build continues."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from .conftest import outputs_of
from .families import Family, each
from .killing import delete_outputs

if TYPE_CHECKING:
    from .conftest import Built
    from .place import Place

pytestmark = [pytest.mark.mirror, pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be another user too")]
NOBODY = "nobody"


AS_NOBODY = ("setpriv", "--reuid", NOBODY, "--regid", "nogroup", "--clear-groups")
"""Runs a command as a user who has no sub-ids."""


def readable(place: Place) -> None:
    """Skip the test if other users cannot read the interpreter or the sources."""
    probe = [*AS_NOBODY, *place.argv("list")]
    for parent in (place.root, *place.root.parents):
        if str(parent).startswith("/tmp/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    done = subprocess.run(probe, env=place.variables(), cwd="/", capture_output=True, text=True, check=False)
    if "cache belongs to" not in done.stderr:
        pytest.skip("the interpreter or the sources are not readable for other users")


@pytest.mark.parametrize("words", [("build",), ("list",), ("info", "disk:small"), ("clean",), ("update",)])
def test_an_ordinary_user_cannot_use_roots_cache(words: tuple[str, ...], place: Place, built: Built) -> None:
    readable(place)
    ran = place.doit(*words, under=AS_NOBODY)
    uid = pwd.getpwnam(NOBODY).pw_uid
    ran.refused("the cache belongs to user id 0", f"this is user id {uid}", "cache=DIRECTORY")
    assert len(ran.said.splitlines()) == 1
    assert place.doit("build").succeeded().ran == []
    assert outputs_of(place) == built.outputs


def test_root_cannot_use_a_users_cache_and_writes_nothing_there(place: Place) -> None:
    theirs = place.another(place.root / "theirs")
    theirs.write(place.family.recipe)
    theirs.cache.mkdir(exist_ok=True)
    shutil.chown(theirs.cache, NOBODY, "nogroup")
    theirs.doit("build").refused("the cache belongs to user id", "this is user id 0")
    assert list(theirs.cache.iterdir()) == []


def test_the_error_for_a_user_without_sub_ids_says_what_to_do(place: Place) -> None:
    readable(place)
    theirs = place.another(place.root / "subless")
    theirs.write(place.family.recipe)
    shutil.copytree(place.image, theirs.image, ignore=shutil.ignore_patterns("recipe", "*.raw", "*.img", "work", "fs"))
    shutil.copytree(place.cache / "store", theirs.cache / "store", copy_function=os.link)
    subprocess.run(["chown", "-R", f"{NOBODY}:nogroup", theirs.root], check=True)
    try:
        ran = theirs.doit("build", under=AS_NOBODY)
        ran.refused("sub-uids" if shutil.which("newuidmap") else "newuidmap", "as root:")
        assert ran.ran == [], "the error comes before any work"
    finally:
        subprocess.run(["chown", "-R", "root:root", theirs.root], check=True)  # the blobs are hard links
        shutil.rmtree(theirs.root)


def test_a_cache_that_cannot_be_created_is_an_error_of_one_line(place: Place) -> None:
    readable(place)
    argv = [word.replace(f"cache={place.cache}", "cache=/proc/nowhere") for word in place.argv("build")]
    done = subprocess.run(argv, env=place.variables(), cwd=place.root, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.startswith("ERROR: /proc/nowhere: cannot be made the cache")
    assert len(done.stderr.splitlines()) == 1


FULL = """
set -e
mount -t tmpfs -o size=4g tmpfs "$CACHE"
cp -a "$KEPT/." "$CACHE/"
used=$(df -k --output=used "$CACHE" | tail -n 1)
mount -o remount,size=$((used + ROOM * 1024))k "$CACHE"
set +e
"$@"; echo "first: $?"
mount -o remount,size=4g "$CACHE"
"$@"; echo "second: $?"
"""


ROOM = {"fs": 40, "chroot": 20, "rootfs": 30, "initrd": 6, "boot": 10, "disk": 40, "evidence": 0}
"""The free MiB when a stage begins, which are fewer than it needs."""


def rooms(_family: Family) -> list[tuple[str, tuple[str, int]]]:
    return [(f"disk full during {stage}", (stage, room)) for stage, room in ROOM.items()]


@each("stage room", rooms)
def test_a_full_disk_is_reported_and_the_next_build_continues(
    stage: str, room: int, place: Place, built: Built
) -> None:
    delete_outputs(place, stage)
    kept = place.root / "kept"
    place.cache.rename(kept)
    place.cache.mkdir()
    own = {"CACHE": str(place.cache), "KEPT": str(kept), "ROOM": str(room)}
    try:
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", FULL, "sh", *place.argv("build")],
            cwd=place.root,
            env={**place.variables(), **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=900,
        )
    finally:
        place.cache.rmdir()
        kept.rename(place.cache)
        place.doit("build")  # creates deleted layers again, which later tests need
    first, _, second = done.stdout.partition("first: ")
    assert second, done.stdout
    assert not second.startswith("0"), done.stdout
    assert f"no space left in {place.cache} (" in first, done.stdout
    assert "Traceback" not in first, done.stdout
    assert "second: 0" in second, done.stdout
    assert built.outputs[place.raw.name] in second
