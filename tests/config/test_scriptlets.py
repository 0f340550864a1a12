"""Which scriptlets may fail: the words that a recipe may say, and for which packages they have an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .conftest import HEAD

if TYPE_CHECKING:
    from .conftest import Complain, Load

RPM = HEAD.replace("os: debian", "os: azure-linux").replace("dist: debian12", "dist: azl3")


def saying(words: str) -> str:
    return f"systemConfig: {{scriptletsMayFail: [{words}]}}\n"


def test_a_recipe_s_words_stand_beside_the_distribution_s(load: Load) -> None:
    config = load(saying("wireguard-tools, ceph %triggerin, ceph %triggerin"), head=RPM)
    assert config.system.scriptlets_may_fail == ("wireguard-tools", "ceph %triggerin")
    assert "wireguard-tools %post" in config.distribution.scriptlets_may_fail
    assert config.notes == load("", head=RPM).notes


def test_the_data_s_words_are_of_the_form_of_a_recipe_s(load: Load) -> None:
    for dist, os in (("azl3", "azure-linux"), ("emt3", "edge-microvisor-toolkit")):
        head = RPM.replace("azure-linux", os).replace("azl3", dist)
        known = load("", head=head).distribution.scriptlets_may_fail
        assert load(saying(", ".join(known)), head=head).system.scriptlets_may_fail == known


def test_on_an_image_of_debs_the_field_has_no_effect_and_that_is_said(load: Load) -> None:
    config = load(saying("bash %post"))
    assert config.system.scriptlets_may_fail == ()
    (note,) = config.notes
    said = "no effect on an image of debs, as dpkg lets no script of a package fail"
    assert note.endswith(f"small.yml:3: systemConfig.scriptletsMayFail: {said}")
    assert load(saying("")).notes == ()


@pytest.mark.parametrize(
    "word", ["a %pre", "a %pretrans", "a %preun", "a %posttrans %post", "%post", "a  %post", "a %pots"]
)
def test_a_word_that_can_let_nothing_pass_is_refused(word: str, complain: Complain) -> None:
    (line,) = complain(saying(f"b, '{word}'"), head=RPM)
    assert line.startswith("small.yml:3: systemConfig.scriptletsMayFail[1]: expected a package, or one and %post, ")
    assert line.endswith(f"found '{word}'")
