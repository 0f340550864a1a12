"""A layer is what its digest says, whatever its programs leave running."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from oic.chroot import creation, layers, namespace, overlay, sandbox
from oic.chroot.tree import Filled, digest_of_tree
from oic.values import digest_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

DAEMON = """
trap '' TERM HUP INT
( trap '' TERM HUP INT; while :; do echo late >> /late; done ) < /dev/null > /dev/null 2>&1 &
sleep 0.3
"""


def _fill(below: Path, log: Path, part: Path) -> Filled:
    with (
        overlay.merged([below], part / "root", upper=part / "tree", work=part / "work") as root,
        sandbox.opened(root, log) as box,
    ):
        box.run(["sh", "-c", DAEMON])
        box.run(["touch", "/after"])
    return Filled(epoch=1)


def made(root: Path, place: Path) -> layers.Layer:
    log = place / "log"
    log.touch()
    return creation.get_or_create(
        place / "cache", digest_of({"of": "a daemon"}), partial(_fill, root, log), writes=[log]
    )


def test_no_program_writes_after_the_digest_is_taken(root: Path, tmp_path: Path) -> None:
    layer = made(root, tmp_path)
    assert (layer.tree / "late").exists()
    assert namespace.call(digest_of_tree, layer.tree) == layer.digest


def test_a_program_that_is_not_killed_would_change_the_layer(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon is one: without its end, the same call finds it still there."""
    monkeypatch.setattr("oic.process.child.end_all", lambda: None)

    def look() -> int:
        log = tmp_path / "log"
        log.touch()
        part = tmp_path / "part"
        (part / "tree").mkdir(parents=True)
        with (
            overlay.merged([root], part / "root", upper=part / "tree", work=part / "work") as at,
            sandbox.opened(at, log) as box,
        ):
            box.run(["sh", "-c", DAEMON])
            first = (at / "late").stat().st_size
            box.run(["sleep", "0.5"])
            return (at / "late").stat().st_size - first

    assert namespace.call(look, writes=[tmp_path]) > 0
