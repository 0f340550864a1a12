"""The command that creates the stand-ins does not treat unknown words as directories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .__main__ import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("words", [["--serve"], ["serve", "--port=1"], ["there", "serve"]])
def test_an_unknown_word_is_an_error(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert capsys.readouterr().err == f"expected python -m tests.standin [serve] [DIR], found {' '.join(words)}\n"
    assert list(tmp_path.iterdir()) == []
