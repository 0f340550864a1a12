"""ISO images that install a root that is only read: it boots verified, and what is written has its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from oic.boottest.installing import install
from oic.boottest.verity import READ_ALL, STATUS
from oic.boottest.vm import Machine

from .booted import TIMEOUT, said_by
from .test_iso import ASKED, GIB, empty, iso_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Built

pytestmark = [pytest.mark.mirror, pytest.mark.boot, pytest.mark.slow]
VERIFIED = [
    STATUS,
    READ_ALL,
    *ASKED[:2],
    "id ada",
    "cat /home/ada/.ssh/authorized_keys",
    "grep Address /etc/systemd/network/05-eth9.network",
    "findmnt -rno SIZE -b /opt",
]


def test_answers_reach_a_system_whose_root_is_only_read_and_it_stays_verified(
    built: Callable[[str], Built], tmp_path: Path
) -> None:
    image, disk = built("debian12-verity-iso"), empty(tmp_path / "disk")
    install(disk, Machine(medium=iso_of(image), keep=True), tmp_path / "install.log", 3 * TIMEOUT, lambda _: None)
    status, _, state, hostname, who, keys, network, sizes = said_by(disk, Machine(), tmp_path / "boot.log", VERIFIED)
    assert re.search(r"status: +verified", status)
    assert image.json("verity.json")["rootHash"]["hexadecimal"] in status
    assert (state, hostname) == ("running", "edge-7")
    assert re.match(r"uid=1000\(ada\)", who)
    assert keys.endswith("ada@example.org")
    assert network == "Address=192.0.2.10/24"
    assert int(sizes) > GIB, "the partition of the state was enlarged to the disk"


@pytest.mark.parametrize(
    ("name", "medium_is", "bus"),
    [("emt3-verity-iso", "virtio", "virtio"), ("elxr12-verity-iso", "stick", "sata")],
)
def test_the_default_image_of_a_distribution_is_installed_and_verified(
    name: str, medium_is: str, bus: str, built: Callable[[str], Built], tmp_path: Path
) -> None:
    image, disk = built(name), empty(tmp_path / "disk", 6 * GIB)
    machine = Machine(medium=iso_of(image), medium_is=medium_is, bus=bus, keep=True)
    install(disk, machine, tmp_path / "install.log", 3 * TIMEOUT, lambda _: None)
    asked = [STATUS, READ_ALL, ASKED[0], "findmnt -rno SIZE -b /opt", "touch /etc/kept /var/kept /home/kept; sync"]
    status, _, state, size, _ = said_by(disk, Machine(bus=bus, keep=True), tmp_path / "boot.log", asked)
    assert re.search(r"status: +verified", status)
    assert image.json("verity.json")["rootHash"]["hexadecimal"] in status
    assert state == "running"
    assert int(size) > 2 * GIB, "the partition of the state was enlarged to the disk"
    again = ["ls /etc/kept /var/kept /home/kept", "! touch /usr/x", ASKED[0]]
    assert said_by(disk, Machine(bus=bus, keep=True), tmp_path / "again.log", again)[2] == "running"
