"""In what order dpkg is told to do its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from oic.provider.deb.order import steps

from .small_root import Small, needs

if TYPE_CHECKING:
    from oic.ospackage.lock import LockedPackage


def _package(name: str, *before: str, depends: tuple[str, ...] = ()) -> LockedPackage:
    return Small(name=name, needs=(*needs(*before, kind="Pre-Depends"), *needs(*depends))).locked()


@pytest.mark.parametrize(
    ("packages", "ordered", "expected"),
    [
        ([_package("a"), _package("b")], set(), []),
        ([_package("a"), _package("b")], {"b", "a"}, [("--unpack", ["a", "b"])]),
        ([_package("a"), _package("b", "a")], {"b"}, [("--configure", ["a"]), ("--unpack", ["b"])]),
        (
            [_package("a"), _package("lib"), _package("b", "lib"), _package("c", "lib")],
            {"a", "b", "c"},
            [("--configure", ["lib"]), ("--unpack", ["c", "b", "a"])],
        ),
        (
            [_package("x"), _package("y", depends=("x",)), _package("b", "y")],
            {"y", "b"},
            [("--unpack", ["y"]), ("--configure", ["x", "y"]), ("--unpack", ["b"])],
        ),
        (
            [_package("x"), _package("y", "x"), _package("b", "y")],
            {"x", "y", "b"},
            [
                ("--unpack", ["x"]),
                ("--configure", ["x"]),
                ("--unpack", ["y"]),
                ("--configure", ["y"]),
                ("--unpack", ["b"]),
            ],
        ),
        ([_package("b", "below")], {"b"}, [("--unpack", ["b"])]),
    ],
)
def test_pre_depends_are_configured_before_unpacking(
    packages: list[LockedPackage], ordered: set[str], expected: list[tuple[str, list[str]]]
) -> None:
    assert steps(packages, {"c": "important"}, ordered) == expected
