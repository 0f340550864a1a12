"""What a booted image shows of each field of the system: one boot of an image of each family, a check a field."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from config.page import PLACES, mapping, rows

from oic.boottest.boot import CREDENTIALS, PROBE, PROBE_PASSWORD, await_login
from oic.boottest.session import log_in
from oic.boottest.vm import UEFI, Machine, started

from .shown import BUILT_LATER, ELSEWHERE, IMAGES, OF_NO_IMAGE, PAGE, field_of, page

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Built

pytestmark = [pytest.mark.mirror, pytest.mark.boot]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "debian12-fields" else pytest.mark.slow) for name in IMAGES]
)
def test_a_booted_image_shows_every_field(built: Callable[[str], Built], name: str) -> None:
    image, checks = built(name), IMAGES[name]
    deadline = time.monotonic() + 900
    log = image.directory / "fields.log"
    with started(image.raw, Machine(firmware=UEFI), credentials=CREDENTIALS, log=log) as console:
        await_login(console, time.monotonic(), deadline, lambda _line: None)
        session = log_in(console, PROBE, PROBE_PASSWORD, deadline)
        shown = {field: session.run(command, deadline).text.strip() for field, (command, _) in checks.items()}
    wrong = {field: shown[field] for field, (_, wanted) in checks.items() if not re.fullmatch(wanted, shown[field])}
    assert wrong == {}


def test_every_field_of_the_system_is_shown_or_has_a_reason() -> None:
    told = {field_of(check) for checks in IMAGES.values() for check in checks} | {*ELSEWHERE, *OF_NO_IMAGE}
    fields = set()
    for name in (
        "systemConfig",
        "kernel",
        "bootloader",
        "immutability",
        "network",
        "user",
        "additionalFile",
        "configuration",
        "services",
    ):
        above = ".".join(PLACES[name][1:])
        found = (f"{above}.{key}".lstrip(".").replace("[]", "") for key, _, _ in rows(name, mapping(name)))
        fields |= {field for field in found if field not in BUILT_LATER}
    assert {field for field in fields - told if not any(other.startswith(f"{field}.") for other in told)} == set()
    assert {field for field in told - fields if not field.startswith("disk.")} == set()


def test_the_page_is_as_it_is_made() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_each_command_has_a_log_of_its_own_and_its_status_in_the_stage_s(built: Callable[[str], Built]) -> None:
    image = built("debian12-fields")
    logs = image.directory / "log"
    assert "said\n" in (logs / "command-1.log").read_text()
    said = [line for line in (logs / "system.log").read_text().splitlines() if line.startswith("configurations[")]
    assert said == [
        f"configurations[{number}]: exit status 0, its output is in command-{number}.log" for number in (0, 1)
    ]
