"""The dependency graph of a set: order, reasons, DOT."""

from __future__ import annotations

import pytest

from oic.errors import SolveError
from oic.ospackage.graph import graph_of, install_order, to_dot, why
from oic.ospackage.lock import LockedPackage, Requirement
from oic.values import Bytes, Digest


def package(name: str, *needs: str, words: tuple[str, ...] = (), essential: bool = False) -> LockedPackage:
    return LockedPackage(
        name=name,
        version="1",
        architecture="all",
        repository="main",
        location="",
        url="",
        size=Bytes(0),
        sha256=Digest("0" * 64),
        essential=essential,
        requested=words,
        requires=tuple(Requirement(kind="Depends", relation=f"{other} (>= 1)", package=other) for other in needs),
    )


PACKAGES = (
    package("lib"),
    package("mid", "lib"),
    package("app", "mid", words=("ap*",)),
    package("tool", "lib", words=("tool",)),
    package("alone", essential=True),
)


def test_the_shortest_ways_to_a_package_are_told() -> None:
    assert why(PACKAGES, "lib") == [["tool 1: asked for as tool", "lib 1: tool Depends lib (>= 1)"]]
    assert why(PACKAGES, "mid") == [["app 1: asked for as ap*", "mid 1: app Depends mid (>= 1)"]]
    assert why(PACKAGES, "alone") == [["alone 1: Essential"]]


def test_a_package_that_is_not_in_the_set_gets_near_names() -> None:
    with pytest.raises(SolveError, match=r"found none named alonee \(did you mean alone\?\)"):
        why(PACKAGES, "alonee")


def test_order_puts_needs_first_and_condenses_circles() -> None:
    needs = {"a": ["b"], "b": ["c"], "c": ["b", "z"], "z": [], "d": []}
    order = install_order(needs, {})
    assert order.index("z") < order.index("b")
    assert order.index("c") < order.index("a")
    assert order == install_order(dict(reversed(needs.items())), {})


def test_within_a_circle_pre_depends_come_first() -> None:
    needs = {"a": ["b"], "b": ["a"]}
    assert install_order(needs, {"a": ["b"]}) == ["b", "a"]
    assert install_order(needs, {"b": ["a"]}) == ["a", "b"]
    assert install_order(needs, {"a": ["b"], "b": ["a"]}) == ["a", "b"]


def test_the_graph_has_an_edge_for_each_need() -> None:
    assert sorted(graph_of(PACKAGES).edges) == [("app", "mid"), ("mid", "lib"), ("tool", "lib")]


def test_dot_is_whole() -> None:
    text = to_dot(PACKAGES)
    assert '"app" -> "mid"' in text
    assert '"app" [shape=box];' in text
