"""The version order is dpkg's."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oic.provider.deb.version import satisfies, version_key

# Tricky ones come from a pool, and neighbours of each other by construction.
PIECES = st.sampled_from(
    [
        "0",
        "00",
        "1",
        "01",
        "9",
        "10",
        "~",
        "~~",
        "+",
        ".",
        "a",
        "b",
        "Z",
        "~rc1",
        "+b1",
        "+deb12u1",
        "99999999999999999999",
    ]
)
UPSTREAM = st.builds(
    lambda first, rest: first + "".join(rest), st.sampled_from(["0", "1", "2a", "10"]), st.lists(PIECES, max_size=5)
)
REVISION = st.one_of(st.just(""), st.builds(lambda rest: "-" + "".join(rest), st.lists(PIECES, min_size=1, max_size=3)))
EPOCH = st.sampled_from(["", "", "", "0:", "1:", "01:", "2:"])
VERSIONS = st.builds(lambda *parts: "".join(parts), EPOCH, UPSTREAM, REVISION)


def dpkg_order(pairs: list[tuple[str, str]]) -> list[int]:
    """Ask dpkg's own library, all pairs in one process."""
    program = (
        "use Dpkg::Version; while (<STDIN>) { chomp; my ($x, $y) = split / /; print version_compare($x, $y), qq(\\n) }"
    )
    text = "".join(f"{one} {other}\n" for one, other in pairs)
    result = subprocess.run(["perl", "-e", program], input=text, capture_output=True, text=True, check=True)
    return [int(line) for line in result.stdout.split()]


def order(one: str, other: str) -> int:
    ours, theirs = version_key(one), version_key(other)
    return (ours > theirs) - (ours < theirs)


@pytest.mark.skipif(
    shutil.which("perl") is None
    or subprocess.run(["perl", "-MDpkg::Version", "-e", "1"], check=False, capture_output=True).returncode != 0,
    reason="needs libdpkg-perl",
)
@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(VERSIONS, VERSIONS), min_size=50, max_size=200))
def test_the_order_of_versions_is_that_of_dpkg(pairs: list[tuple[str, str]]) -> None:
    exact = [pair for pair in pairs if not re.search(r"\d{16}", " ".join(pair))]  # Perl's larger numbers are floats
    wrong = [(pair, told) for pair, told in zip(exact, dpkg_order(exact), strict=True) if order(*pair) != told]
    assert wrong == []


@pytest.mark.parametrize(
    ("one", "sign", "other"),
    [
        ("1.0~rc1", "lt", "1.0"),
        ("0999999999999999999999", "gt", "0999999999999999999990"),
        ("1.0", "eq", "0:1.0-0"),
        ("1.0+b1", "gt", "1.0"),
        ("1.10", "gt", "1.9"),
    ],
)
def test_order_is_that_of_the_dpkg_program(one: str, sign: str, other: str) -> None:
    assert subprocess.run(["dpkg", "--compare-versions", one, sign, other], check=False).returncode == 0
    assert order(one, other) == {"lt": -1, "eq": 0, "gt": 1}[sign]


@given(st.text(), st.text())
def test_any_text_can_be_compared(one: str, other: str) -> None:
    assert satisfies(one, "<=", other) or satisfies(one, ">>", other)
    assert satisfies(one, "=", one)


def test_a_number_too_long_for_python_is_still_a_number() -> None:
    assert satisfies("1." + "9" * 5000, "<<", "1.1" + "0" * 5000)
