"""What the solver is asked: the digest by which a kept lock knows that it answers its recipe."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from oic.ospackage.locked import AskedSet, Request
from oic.values import digest_of, to_json
from ospackage.asked import asked

PLAIN = {
    "architecture": "amd64",
    "recommends": False,
    "sets": {"image": {"names": ["a", "b"], "essential": True}, "tools": {"names": [], "essential": False}},
}


@pytest.mark.parametrize("more", [{}, {"repositories": "extra edge"}])
def test_a_request_has_the_digest_of_its_plain_words(more: dict[str, Any]) -> None:
    request = msgspec.structs.replace(asked("a", "b", tools=[]), **more)
    assert digest_of(request) == digest_of({**PLAIN, **more})


def test_a_set_that_is_not_narrowed_does_not_say_so() -> None:
    assert "repositories" not in to_json(AskedSet(names=("a",), essential=True))


def test_a_request_survives_its_text() -> None:
    narrowed = AskedSet(names=("a",), essential=True, repositories=("main",))
    request = Request(architecture="amd64", recommends=True, sets={"image": narrowed})
    assert msgspec.json.decode(to_json(request), type=Request) == request
