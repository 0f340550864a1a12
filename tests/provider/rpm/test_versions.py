"""Our order of versions is rpm's own, and libsolv's: on pairs drawn to be near each other."""

from __future__ import annotations

import random
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import solv

from oic.provider.rpm.version import evrcmp, vercmp

if TYPE_CHECKING:
    from pathlib import Path

PAIRS = 10_000
PARTS = ("1", "0", "00", "12", "2", "9", "10", "a", "b", "rc", "Z", ".", ".", "_", "+", "~", "^", "..", "~~", "git")


def _version(dice: random.Random) -> str:
    return "".join(dice.choice(PARTS) for _ in range(dice.randint(1, 7)))


def _near(version: str, dice: random.Random) -> str:
    if dice.random() < 0.4:
        return _version(dice)
    return version[: dice.randint(1, len(version))] + dice.choice(["", _version(dice)])


def _pairs() -> list[tuple[str, str]]:
    dice = random.Random(20)
    pairs = []
    for _ in range(PAIRS):
        version = _version(dice)
        other = _near(version, dice)
        epochs = [dice.choice(["", "0:", "1:", "12:"]) for _ in range(2)]
        releases = [dice.choice(["", "-1", "-1", f"-{_version(dice)}"]) for _ in range(2)]
        pairs.append((f"{epochs[0]}{version}{releases[0]}", f"{epochs[1]}{other}{releases[1]}"))
    return pairs


@pytest.mark.skipif(shutil.which("rpm") is None, reason="needs rpm (apt-get install rpm)")
def test_the_order_of_versions_is_that_of_rpm(tmp_path: Path) -> None:
    pairs = _pairs()
    script = tmp_path / "pairs.lua"
    calls = ",".join(f"rpm.vercmp([[{one}]],[[{two}]])" for one, two in pairs)
    script.write_text(f"print(table.concat({{{calls}}},[[ ]]))")
    ran = subprocess.run(["rpm", "--eval", f'%{{lua: dofile("{script}")}}'], capture_output=True, text=True, check=True)
    theirs = [int(word) for word in ran.stdout.split()]
    assert len(theirs) == PAIRS
    assert set(theirs) == {-1, 0, 1}
    different = [(pair, his) for pair, his in zip(pairs, theirs, strict=True) if evrcmp(*pair) != his]
    assert different == []


def test_the_order_of_versions_is_that_of_libsolv() -> None:
    """Words are read by our order, and sets chosen by libsolv's: they must not part."""
    pool = solv.Pool()
    repository = pool.add_repo("pairs")
    one, two = repository.add_solvable(), repository.add_solvable()
    different = []
    for left, right in _pairs():
        one.evr, two.evr = (text if "-" in text else f"{text}-1" for text in (left, right))
        if (found := one.evrcmp(two)) != evrcmp(one.evr, two.evr):
            different.append((one.evr, two.evr, found))
    assert different == []


@pytest.mark.parametrize(
    ("older", "newer"),
    [("1.0~rc1", "1.0"), ("1.0", "1.0^git1"), ("1.0^git1", "1.0.1"), ("1.9", "1.10"), ("1.a", "1.1"), ("1", "1.a")],
)
def test_well_known_versions_are_in_order(older: str, newer: str) -> None:
    assert vercmp(older, newer) == -1
    assert vercmp(newer, older) == 1
    assert vercmp(older, older) == 0


def test_versions_may_have_any_number_of_digits() -> None:
    assert vercmp("1" * 10_000, "1" * 9_999 + "2") == -1
