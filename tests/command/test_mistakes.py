"""How a mistake is shown: from where the user stands, with its place; never a password."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from oic.tasks.mistakes import from_here, shown_mistake
from oic.tasks.output import Paint

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = Paint(on=False)


def test_paths_are_those_of_whoever_stands_there(tmp_path: Path) -> None:
    assert from_here(f"{tmp_path}/a.yml: and {tmp_path}/b", tmp_path) == "a.yml: and b"
    assert from_here(f"/x{tmp_path}/a.yml {tmp_path}x/b", tmp_path) == f"/x{tmp_path}/a.yml {tmp_path}x/b"
    assert from_here("/a/b", tmp_path.parents[-1]) == "/a/b"


@pytest.mark.parametrize(
    "text",
    ["users: [{name: a, password: hunter2}]\n", "password: |\n  hunter2\n", "password:\n\n  hunter2\n"],
)
def test_a_password_is_not_shown(text: str, tmp_path: Path) -> None:
    file = tmp_path / "r.yml"
    file.write_text(text)
    for number in range(1, 4):
        shown = shown_mistake(f"{file}:{number}: users: wrong\n{file}:{number}: wrong", tmp_path, PLAIN)
        assert "hunter2" not in shown


def test_a_terminal_gets_colours_and_nothing_that_it_obeys(tmp_path: Path) -> None:
    file = tmp_path / "r.yml"
    file.write_text("a: \u202ex\nb: '\x9b2J'\n")
    for number in (1, 2):
        shown = shown_mistake(f"{file}:{number}: wrong", tmp_path, Paint(on=True))
        assert "\x1b[1;31merror: \x1b[0m" in shown
        assert "\\u202ex" in shown or "\\x9b2J" in shown
        assert not {"\x9b", "\u202e"} & set(shown)
    assert shown_mistake(f"{file}:2: b: wrong", tmp_path, PLAIN) == "error: r.yml:2: b: wrong\n"


@pytest.mark.parametrize("line", [0, 7, 10**9])
def test_a_line_that_is_not_there_is_not_shown(line: int, tmp_path: Path) -> None:
    file = tmp_path / "r.yml"
    file.write_text("a: b\n")
    assert shown_mistake(f"{file}:{line}: a: wrong", tmp_path, PLAIN) == f"error: r.yml:{line}: a: wrong\n"
    file.unlink()
    assert shown_mistake(f"{file}:1: a: wrong", tmp_path, PLAIN) == "error: r.yml:1: a: wrong\n"


def test_the_second_of_two_is_pointed_at(tmp_path: Path) -> None:
    file = tmp_path / "r.yml"
    file.write_text("a:\n  b: 1\n  b: 2\n")
    shown = shown_mistake(f"{file}:3: a.b: expected each key once, found it here and on line 2", tmp_path, PLAIN)
    assert shown.splitlines()[1:] == ["    3 |   b: 2", "      |   ^"]
