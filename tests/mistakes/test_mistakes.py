"""Each mistake of the list is said in exactly the words that the list has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .cases import LIST, cases, said_of, to_yaml

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["name"].replace(" ", "_"))
def test_a_mistake_is_said_in_these_words(case: dict[str, Any], tmp_path: Path) -> None:
    assert said_of(case, tmp_path) == (case["says"], case["status"])


def test_the_list_is_written_as_it_is_made_and_names_each_once() -> None:
    assert to_yaml(cases()) == LIST.read_text(encoding="utf-8")
    names = [case["name"] for case in cases()]
    assert len(names) == len(set(names)) >= 100
