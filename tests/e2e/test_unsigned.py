"""A repository that only the recipe vouches for: built from, and never in silence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bench import Bench

TRUSTED = "  mirrorKeys: ['[trusted=yes]']\n"


def _trust(bench: Bench) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((bench.image / "trust.json").read_text())
    return found


def test_unsigned_packages_are_told_and_recorded(bench: Bench) -> None:
    bench.write(TRUSTED)
    ran = bench.oic("verify")
    ran.succeeded("note: 7 packages nobody signed, by [trusted=yes] of the recipe: base, core, hello", "7 unsigned")
    trust = _trust(bench)
    assert trust["unsigned"] == {name: sorted(words) for name, words in trust["verdicts"].items()}
    words = "unsigned: sha256 listed by tiny, which the recipe trusts"
    assert set(trust["verdicts"]["image"].values()) == {words}


def test_signed_packages_are_not(bench: Bench) -> None:
    bench.write()
    ran = bench.oic("verify")
    ran.succeeded("8 packages, all good")
    assert "unsigned" not in ran.said
    assert "note:" not in ran.said
    assert _trust(bench)["unsigned"] == {"image": [], "tools": []}
