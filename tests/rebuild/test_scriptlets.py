"""The shipped data tolerate known scriptlet failures of real packages; a recipe can tolerate others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .families import RPM

if TYPE_CHECKING:
    from .place import Place

pytestmark = [pytest.mark.mirror, pytest.mark.slow]

MISBEHAVING = ["bluez-hid2hci", "kpatch", "kubernetes", "lm-sensors", "swtpm-selinux", "wireguard-tools"]


@pytest.mark.parametrize("family", [RPM], indirect=True)
def test_known_failures_are_tolerated_with_a_note_and_others_are_refused(place: Place) -> None:
    recipe = place.family.recipe
    recipe["systemConfig"]["packages"] = MISBEHAVING
    place.write(recipe)
    said = place.doit("build").refused("the scriptlet %post of kpatch failed: exit status ").said
    assert "systemConfig.scriptletsMayFail: [kpatch %post] lets it pass" in said
    assert "the scriptlet %post of wireguard-tools failed" not in said
    recipe["systemConfig"]["scriptletsMayFail"] = ["kpatch %post"]
    place.write(recipe)
    said = place.doit("build").succeeded().said
    for package, whose in (
        ("kpatch", "of the recipe: "),
        ("lm-sensors", "of the distribution's data: modprobe: "),
        ("wireguard-tools", "of the distribution's data\n"),
    ):
        (line,) = [
            line
            for line in said.splitlines(keepends=True)  # the summary says it once more, indented
            if line.startswith("note: ") and f"the scriptlet %post of {package} failed" in line
        ]
        assert (
            f"note: the scriptlet %post of {package} failed (exit status 1), let pass by scriptletsMayFail {whose}"
            in line
        )
    manifest = json.loads((place.image / "small-1.0.0.manifest.json").read_text())
    passed = {one["package"]: one["lines"] for one in manifest["scriptletsPassedOver"]}
    assert sorted(passed) == ["kpatch", "lm-sensors", "wireguard-tools"]
    assert passed["wireguard-tools"] == []
    assert "i2c-dev" in passed["lm-sensors"][-1]
    assert place.doit("build").succeeded().ran == []
