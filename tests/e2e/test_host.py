"""What the host may lack: room, sub-ids, a cache of one's own."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .bench import Bench

ROOT_OF_ITS_OWN = ("unshare", "--user", "--map-root-user", "--mount")
NOBODY = ("unshare", "--user", "--map-user=65534", "--map-group=65534")
"""Whoever runs the tests, as a user who has a name and no sub-ids."""
NAMELESS = ("unshare", "--user", "--map-user=54321", "--map-group=54321")
FULL_THEN_ROOMY = """mkdir "$0" && mount -t tmpfs -o size=1800k,mode=700 tmpfs "$0"
head -c 1200k /dev/zero >"$0/x" && "$@"
rm "$0/x" && "$@"
"""


def test_a_full_disk_is_said_once_and_the_next_run_goes_on(bench: Bench) -> None:
    bench.write("systemConfig: {packages: [big]}")
    said = bench.oic("verify", under=(*ROOT_OF_ITS_OWN, "sh", "-c", FULL_THEN_ROOMY, str(bench.cache)))
    full = f"no space left in {bench.cache} (0 MiB free) (make room"
    said.succeeded(full, "-- metadata:small", "9 packages, all good")
    assert said.said.count("no space left") == 1, said.said
    assert "Traceback" not in said.said, said.said
    fetched = re.search(r"(\d) packages fetched \(([0-9.]+) MB\)", said.said)
    assert fetched
    assert float(fetched[2]) < 1, "what was there before was not fetched again"


def test_a_disk_too_full_for_anything(bench: Bench) -> None:
    script = 'mkdir "$0" && mount -t tmpfs -o size=20k,mode=700 tmpfs "$0" && exec "$@"'
    said = bench.oic("verify", under=(*ROOT_OF_ITS_OWN, "sh", "-c", script, str(bench.cache)))
    said.refused_in_one_line("o space left")


def test_a_user_without_sub_ids(bench: Bench) -> None:
    words = "/etc/subuid: expected a range of at least 65535 sub-uids for user"
    hint = "as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535"
    bench.oic("chroot", under=NOBODY).refused_in_one_line(f"{words} nobody, found none ({hint} nobody)")
    bench.oic("chroot", under=NAMELESS).refused_in_one_line(f"{words} 54321, found none")


def test_a_kernel_that_grants_no_namespaces(bench: Bench) -> None:
    script = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    said = bench.oic("chroot", under=("unshare", "--user", "--map-root-user", "sh", "-c", script, "sh"))
    said.refused_in_one_line("this kernel does not allow the build to create namespaces", "or build as root")


def test_a_host_without_gpg(bench: Bench) -> None:
    bench.environment["PATH"] = "/nonexistent"
    bench.oic("solve").refused_in_one_line("cannot run gpg: ", "(install it: apt-get install gpg)")


def test_a_cache_that_cannot_be_made(bench: Bench) -> None:
    (bench.place / "closed").mkdir(mode=0o555)
    closed = bench.place / "closed/cache"
    for place, under, reason in ((closed, NOBODY, "Permission denied"), (bench.recipe, (), "File exists")):
        said = bench.oic("solve", under=under, cache=place)
        said.refused_in_one_line(f"{place}: cannot be made the cache: {reason}")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a cache to another user")
def test_a_cache_of_another_user(bench: Bench) -> None:
    bench.cache.mkdir()
    os.chown(bench.cache, 65534, 65534)
    message = f"{bench.cache}: the cache belongs to user id 65534, this is user id 0 (root and users need a cache each"
    bench.oic("solve").refused_in_one_line(message)
