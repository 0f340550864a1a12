"""``doit reproduce`` builds an image twice, a day apart, and names each difference with its origin."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oic.chroot.clock import LIBRARY

if TYPE_CHECKING:
    from .conftest import Built
    from .place import Place

pytestmark = pytest.mark.mirror

CLOCK = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
WRITE_UUID = "cat /proc/sys/kernel/random/uuid > /etc/generated"
WRITE_DATE = "date +%F > /etc/time"


@pytest.fixture(autouse=True)
def _needs_a_clock() -> None:
    if not CLOCK.is_file():
        pytest.skip("needs libfaketime: apt-get install libfaketime")


def _command(place: Place, *commands: str) -> None:
    recipe = place.family.recipe
    recipe["systemConfig"]["configurations"] += [{"cmd": command} for command in commands]
    place.write(recipe)


@pytest.mark.slow
def test_equal_builds_are_reported_in_one_line(place: Place, built: Built) -> None:
    said = place.doit("reproduce").succeeded().said
    digest = subprocess.run(["sha256sum", place.raw], capture_output=True, text=True, check=True).stdout.split()[0]
    moments = r"built \d{4}-\d\d-(\d\d) \d\d:\d\d UTC and \d{4}-\d\d-(\d\d) \d\d:\d\d UTC by the clock of its programs"
    last = said.splitlines()[-1]
    days = re.fullmatch(rf"both builds are equal: small-1\.0\.0\.raw sha256:{digest}, {moments}", last)
    assert days is not None, said
    assert days[1] != days[2]
    assert json.loads((place.image / "reproduce.json").read_text())["differences"] == []
    assert not (place.image / "reproduce").exists()
    assert built.place.doit("build").succeeded().stages() == set()


def test_a_difference_is_named_with_its_kind_and_its_origin(place: Place) -> None:
    _command(place, WRITE_UUID, WRITE_DATE)
    ran = place.doit("reproduce").refused(
        "2 things differ between two builds of the same packages, ",
        "\n/etc/generated: a UUID; made by a setting or a command of the recipe\n",
        "\n/etc/time: a time; made by a setting or a command of the recipe\n",
    )
    assert ran.stages() == {"reproduce"}
    report = json.loads((place.image / "reproduce.json").read_text())
    assert [one["path"] for one in report["differences"]] == ["/etc/generated", "/etc/time"]
    kept = place.image / "reproduce"
    assert len([*kept.glob("*/layers/*/tree/etc/generated")]) == 2
    place.doit("clean", "reproduce:small").succeeded()
    assert not kept.exists()


@pytest.mark.slow
def test_a_tool_that_writes_the_time_is_reported_with_its_stage(place: Place, tmp_path: Path) -> None:
    """A file that only the image's initramfs generator reads makes it write the time."""
    hook = {"deb": "/etc/initramfs-tools/hooks/time", "rpm": "/etc/dracut.conf.d/time.conf"}[place.family.name]
    hook_text = {
        "deb": '#!/bin/sh\n[ "$1" = prereqs ] || date > "$DESTDIR/time"\n',
        "rpm": 'date > /tmp/time\ninstall_items+=" /tmp/time "\n',
    }[place.family.name]
    (tmp_path / "hook").write_text(hook_text)
    (tmp_path / "hook").chmod(0o755)
    recipe = place.family.recipe
    recipe["systemConfig"]["additionalFiles"].append({"local": str(tmp_path / "hook"), "final": hook, "mode": "0755"})
    place.write(recipe)
    place.doit("reproduce").refused(
        "1 thing differs", "\ninitrd.img: ", "; made by the stage initrd from the same inputs"
    )


@pytest.mark.slow
def test_a_result_without_another_clock_says_so(place: Place, tmp_path: Path) -> None:
    """The same with a library that does not change the clock."""
    wrong = tmp_path / "no-clock.so.1"
    shutil.copy("/lib/x86_64-linux-gnu/libm.so.6", wrong)
    place.environment[LIBRARY] = str(wrong)
    _command(place, WRITE_UUID, WRITE_DATE, "date +%s > /etc/second")
    said = place.doit("reproduce").refused(
        "2 things differ", " s apart by the host's own clock: ", "/etc/generated: a UUID;", "/etc/second: a time;"
    )
    assert f"{wrong} has no effect on the image's programs" in said.said
    place.environment[LIBRARY] = str(tmp_path / "absent")
    absent = f"{LIBRARY}: expected the path of libfaketime.so.1, found no file '{tmp_path / 'absent'}'"
    place.doit("reproduce").refused(absent)
