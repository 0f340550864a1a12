"""A distribution's further repository, through doit: off until a recipe turns it on, and then before the others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .tiny_rpm import BASE, hello

if TYPE_CHECKING:
    from pathlib import Path

    from provider.rpm.keys import Key

    from .bench import Bench
    from .tiny_rpm import TinyRpm

ON = "  repositories: [following]\n"


@pytest.fixture
def both(rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key], tmp_path: Path) -> Bench:
    """Return a place where the mirror has a further repository, whose hello is an older one."""
    older = keys["own"].sign(hello(version="0.9").make(tmp_path / "older")).read_bytes()
    tiny_rpms.publish(hello=older)
    for path, body in list(tiny_rpms.bodies.items()):
        tiny_rpms.serve(path.replace(BASE, "/following/base"), body)
    tiny_rpms.publish(revision=2000)
    facts = rpm_bench.place / "data/tiny/rpm1"
    facts.mkdir(parents=True)
    for file in (rpm_bench.distributions / "tiny/rpm1").iterdir():
        (facts / file.name).write_bytes(file.read_bytes())
    entry = (
        "{name: following, path: ../../following/base, enabled: false, priority: 501, keys: [repodata/repomd.xml.key]}"
    )
    data = (facts / "distribution.yml").read_text().replace("tools:", f"  - {entry}\ntools:")
    (facts / "distribution.yml").write_text(data)
    rpm_bench.environment["OIC_DISTRIBUTIONS"] = str(rpm_bench.place / "data")
    rpm_bench.mirror += "/base"
    (facts / "distribution.yml").write_text(data.replace(" path: base,", ""))
    rpm_bench.write()
    return rpm_bench


def _hello(bench: Bench) -> tuple[str, str]:
    packages = json.loads((bench.image / "lock.json").read_text())["sets"]["image"]
    return next((one["version"], one["repository"]) for one in packages if one["name"] == "hello")


def test_it_is_off_until_the_recipe_turns_it_on_and_then_preferred(both: Bench, tiny_rpms: TinyRpm) -> None:
    both.oic("solve").succeeded("1 repositories, signatures good")
    assert _hello(both) == ("1.0-1", "tiny")
    assert not [path for path in tiny_rpms.asked() if path.startswith("/following")]
    both.write(ON)
    both.oic("rootfs").succeeded("2 repositories, signatures good", "3 packages installed")
    assert _hello(both) == ("0.9-1", "following")


def test_a_lock_of_other_repositories_does_not_answer_the_recipe(both: Bench) -> None:
    both.oic("lock").succeeded()
    both.write(ON)
    both.oic("solve").refused_in_one_line(
        "the lock does not answer its recipe any more: repositories was None, is 'following'"
    )
    both.oic("lock").succeeded()
    both.oic("verify").succeeded("5 packages, all good")
    both.write()
    both.oic("solve").refused_in_one_line(
        "the lock does not answer its recipe any more: repositories was 'following', is None"
    )
