"""What a machine prints becomes plain text; a message after which the boot cannot succeed ends the wait."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oic.boottest.console import Console
from oic.boottest.failure import TAIL, BootError

if TYPE_CHECKING:
    from collections.abc import Callable

LOGIN = {"login": "login: "}
SCREEN = (
    b"\x1b[2J\x1b[01;01HBdsDxe: starting\r\r\n[\x1b[0;32m  OK  \x1b[0m] Started caf\xc3\xa9\x07.\r\n"
    b"\x1b]3008;start=ab;user=root\x1b\\\x1b[?2004h\x1bP+q6E616D65\x1b\\\x1b(B$ \x1b]0;title\x07ls\x1b7\x1b[6n\x1b8\r\n"
)
PLAIN = "\nBdsDxe: starting\n[  OK  ] Started café.\n$ ls\n"

DEAD_ENDS = [
    "[    2.345678] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
    'BdsDxe: failed to load Boot0001 "UEFI Misc Device" from PciRoot(0x0)/Pci(0x1,0x0): Not Found',
    "BdsDxe: No bootable option or device was found.",
    "UEFI Interactive Shell v2.2",
    "(initramfs) ",
    "You are in emergency mode. After logging in, type journalctl -xb",
    "Give root password for maintenance",
    "Cannot open access to console, the root account is locked.",
    "grub rescue> ",
    "Error loading EFI binary \\EFI\\Linux\\edge.efi: Not found",
    "[  OK  ] Reached target emergency.target - Emergency Mode.",
    "[   12.345678] reboot: Power down",
]


@given(st.lists(st.integers(min_value=0, max_value=len(SCREEN)), max_size=30))
def test_escape_sequences_are_removed_even_if_reads_split_them(cuts: list[int]) -> None:
    console = Console(-1, -1, log=Path("/dev/null"), describe_end=lambda: "")
    places = [0, *sorted(cuts), len(SCREEN)]
    for start, end in itertools.pairwise(places):
        console._take(SCREEN[start:end])
    console.close()
    assert console.text == PLAIN


@pytest.mark.parametrize("last_words", DEAD_ENDS)
def test_a_fatal_message_ends_the_wait_and_is_named(
    console_of: Callable[..., Console], last_words: str, deadline: float
) -> None:
    console = console_of(boot=["[    1.000000] Linux version 6.1", last_words, "what came after"])
    with pytest.raises(BootError) as failure:
        console.expect("a login prompt", LOGIN, deadline)
    said, *tail = str(failure.value).splitlines()
    assert said.startswith(f"{console.log}: expected a login prompt, but the machine printed: ")
    assert last_words.strip() in "\n".join(tail)
    assert "what came after" in "\n".join(tail)


def test_a_closed_line_says_how_the_machine_ended(console_of: Callable[..., Console], deadline: float) -> None:
    console = console_of(boot=["BdsDxe: starting Boot0001"], ends=True)
    with pytest.raises(BootError, match="expected a login prompt, but the peer is gone; the console ends with"):
        console.expect("a login prompt", LOGIN, deadline)


def test_silence_ends_at_the_deadline(console_of: Callable[..., Console]) -> None:
    console = console_of(boot=["BdsDxe: starting Boot0001"])
    with pytest.raises(BootError, match="expected a prompt, but the time is up"):
        console.expect("a prompt", {"sermon": "dearly beloved"}, time.monotonic() + 0.5)


def test_a_match_is_not_found_twice(console_of: Callable[..., Console], deadline: float) -> None:
    console = console_of(boot=["one two one"])
    assert console.expect("one", {"one": "one", "two": "two"}, deadline).lastgroup == "one"
    assert console.expect("two", {"one": "one", "two": "two"}, deadline).lastgroup == "two"


def test_the_log_holds_everything_and_the_error_the_last_lines(
    console_of: Callable[..., Console], deadline: float
) -> None:
    console = console_of(boot=[f"line {number}" for number in range(100)], ends=True)
    with pytest.raises(BootError) as failure:
        console.expect("a login prompt", LOGIN, deadline)
    assert [line.strip() for line in str(failure.value).splitlines()[1:]] == [
        f"line {number}" for number in range(100 - TAIL, 100)
    ]
    assert console.log.read_text().split("\n")[:100] == [f"line {number}" for number in range(100)]
