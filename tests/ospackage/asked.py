"""Requests to a solver, as a plan makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.ospackage.locked import AskedSet, Request

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING_ASKED = Request(architecture="", recommends=False, sets={})


def asked(
    *words: str,
    architecture: str = "amd64",
    essential: bool = True,
    recommends: bool = False,
    tools: Sequence[str] | None = None,
) -> Request:
    """Return the request for an image of the words; and for the tools where there are any."""
    sets = {"image": AskedSet(names=words, essential=essential)}
    if tools is not None:
        sets["tools"] = AskedSet(names=tuple(tools), essential=False)
    return Request(architecture=architecture, recommends=recommends, sets=sets)
