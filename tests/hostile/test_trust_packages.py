"""Indexes that are validly signed and trick their reader, or are simply old."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from e2e.tiny import FIRST, MORE

if TYPE_CHECKING:
    from e2e.bench import Bench
    from e2e.tiny import Tiny
    from e2e.tiny_rpm import TinyRpm

NAMED = "expected a stanza with one Package field, found 'hello' and 'other'"
TWICE = {
    "the name asked for": ("Package: hello\nPackage: other\n", NAMED),
    "in other letters": ("Package: hello\npackage: other\n", NAMED),
    "a version": ("Package: hello\nVersion: 9\n", "hello: expected the field 'Version' once, found it again"),
    "a digest": (f"Package: hello\nSHA256: {'0' * 64}\n", "hello: expected the field 'SHA256' once, found it again"),
}


@pytest.mark.parametrize("case", TWICE)
def test_a_stanza_with_a_field_twice_takes_no_package_out_of_the_set(case: str, bench: Bench, tiny: Tiny) -> None:
    entry, (twice, words) = tiny.packages["hello_1"], TWICE[case]
    control = entry.control.replace("Package: hello\n", twice)
    tiny.packages = {**tiny.packages, "hello_1": dataclasses.replace(entry, control=control)}
    tiny.publish()
    bench.oic("solve").refused_in_one_line("solve:small failed: tiny: ", words)


def test_a_first_build_from_an_old_state_says_so(bench: Bench, tiny: Tiny) -> None:
    tiny.publish((*FIRST, *MORE), age=timedelta(days=40))
    bench.oic("solve").succeeded("note: the index of tiny is 40 days old, of ", "6 packages for the image")
    again = bench.oic("solve")
    again.succeeded("-- solve:small")
    assert "days old" not in again.said
    tiny.publish((*FIRST, *MORE), age=timedelta(days=13))
    said = bench.oic("update")
    said.succeeded("no package changed")
    assert "days old" not in said.said


def test_a_first_build_from_an_old_rpm_state_says_so(rpm_bench: Bench, tiny_rpms: TinyRpm) -> None:
    tiny_rpms.publish(revision=1_600_000_000)
    rpm_bench.oic("solve").succeeded(
        "note: the index of tiny is ", " days old, of 2020-09-13: check that the mirror is up to date"
    )
