"""What is asked of a machine that is up, put to one whose answers are written here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from oic.boottest import checks
from oic.boottest.checks import checked_packages, failed_units, journals, read_facts
from oic.boottest.failure import BootError
from oic.boottest.session import Answer, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from oic.boottest.console import Console


class Told(Session):
    """A session whose commands have the answers given, one after the other; the last one stays."""

    def __init__(self, console: Console, **answers: list[str]) -> None:
        super().__init__(console, "admin")
        self._answers = answers

    def run(self, command: str, deadline: float) -> Answer:  # noqa: ARG002
        word = next((word for word in self._answers if word in command.replace("-", "_")), None)
        if word is None:
            return Answer(text=f"{command}: not found", status=127)
        told = self._answers[word]
        return Answer(text=told.pop(0) if len(told) > 1 else told[0], status=0)


def test_a_system_that_is_still_booting_is_waited_for(
    console_of: Callable[..., Console], deadline: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "POLL", 0.01)
    session = Told(console_of(), is_system_running=["initializing", "starting", "starting", "running"])
    assert failed_units(session, deadline) == ()


def test_a_boot_that_does_not_finish_times_out(
    console_of: Callable[..., Console], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "POLL", 0.01)
    with pytest.raises(BootError, match="the boot did not finish in time: systemd is still starting"):
        failed_units(Told(console_of(), is_system_running=["starting"]), time.monotonic() + 0.1)


def test_failed_units_come_with_what_they_said(console_of: Callable[..., Console], deadline: float) -> None:
    session = Told(
        console_of(),
        is_system_running=["degraded"],
        failed=["a.service loaded failed failed A thing"],
        journalctl=["one\ntwo"],
    )
    units = failed_units(session, deadline)
    assert units == ("a.service",)
    assert journals(session, units, deadline) == "\n  a.service:\n    one\n    two"


def test_a_state_without_a_failed_unit_is_named(console_of: Callable[..., Console], deadline: float) -> None:
    with pytest.raises(BootError, match="expected systemd to be running, but it says: maintenance"):
        failed_units(Told(console_of(), is_system_running=["maintenance"], failed=[""]), deadline)


def test_packages_that_differ_are_named(console_of: Callable[..., Console], deadline: float) -> None:
    session = Told(console_of(), list=["bash\t5.2\tii \nsed\t4.9\tiU "])
    with pytest.raises(BootError) as failure:
        checked_packages(session, {"bash": "5.1", "tar": "1"}, ["list"], deadline)
    assert failure.value.message == (
        "expected the 2 packages of the lock, but in the image are 1 missing: tar; "
        "1 of another version: bash 5.2 (expected 5.1); 1 not configured: sed (iU)"
    )


def test_packages_that_are_equal_are_returned(console_of: Callable[..., Console], deadline: float) -> None:
    session = Told(console_of(), list=["bash\t5.2\tii "])
    assert checked_packages(session, {"bash:amd64": "5.2"}, ["list"], deadline) == {"bash": "5.2"}


def test_a_list_that_fails_is_said_with_its_words(console_of: Callable[..., Console], deadline: float) -> None:
    with pytest.raises(BootError, match="`rpm -qa` as admin ended with status 127: rpm -qa: not found"):
        checked_packages(Told(console_of()), {}, ["rpm", "-qa"], deadline)


def test_an_image_without_sshd_has_no_host_keys(console_of: Callable[..., Console], deadline: float) -> None:
    facts = read_facts(
        Told(
            console_of(), uname=["6.1"], os_release=["ID=debian"], mounts=["/dev/vda2 / ext4 rw 0 0"], machine_id=["ab"]
        ),
        deadline,
    )
    assert (facts.kernel, facts.os_release, facts.host_keys) == ("6.1", {"ID": "debian"}, {})
    assert facts.mounts[0].target == "/"
