"""What a user sees of a scriptlet that fails: with ``scriptletsMayFail`` and without, for each kind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .tiny_rpm import hello

if TYPE_CHECKING:
    from pathlib import Path

    from provider.rpm.keys import Key

    from .bench import Bench
    from .tiny_rpm import TinyRpm

KINDS = {
    "%post": "%post\necho no such module >&2\nexit 1\n",
    "%posttrans": "%posttrans\nexit 3\n",
    "%triggerin": "%triggerin -- filesystem\nexit 4\n",
    "%filetriggerin": "%filetriggerin -- /usr/share\nexit 5\n",
    "%transfiletriggerin": "%transfiletriggerin -- /usr/share\nexit 6\n",
}
LUA = '%post -p <lua>\nerror("no luck")\n'
MACRO = "%post\n%%systemd_post hello.service\n"
ENDING = {"%prein": "%pre\nexit 7\n", "%pretrans": '%pretrans -p <lua>\nerror("no")\n'}


def published(tiny: TinyRpm, keys: dict[str, Key], place: Path, scripts: str) -> None:
    tiny.publish(hello=keys["own"].sign(hello(scripts).make(place / "made")).read_bytes())


@pytest.mark.parametrize("kind", [*KINDS, "lua", "macro"])
def test_what_rpm_goes_on_after_is_an_error_unless_it_may_fail(
    kind: str, rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key], tmp_path: Path
) -> None:
    phase = kind if kind in KINDS else "%post"
    published(tiny_rpms, keys, tmp_path, {**KINDS, "lua": LUA, "macro": MACRO}[kind])
    failed = f"the scriptlet {phase} of hello failed: "
    way_out = f"if that is harmless, systemConfig.scriptletsMayFail: [hello {phase}] lets it pass"
    rpm_bench.oic("rootfs").refused("rootfs:small failed: ", failed, way_out)
    rpm_bench.write(f"systemConfig: {{scriptletsMayFail: [hello {phase}]}}")
    passed = f"note: the scriptlet {phase} of hello failed ("
    rpm_bench.oic("rootfs").succeeded(passed, "let pass by scriptletsMayFail of the recipe", "3 packages installed")
    (one,) = json.loads((rpm_bench.image / "scriptlets.json").read_text())["scriptlets"]
    assert (one["package"], one["phase"]) == ("hello", phase)
    if kind == "%post":
        assert (one["how"], one["lines"]) == ("exit status 1", ["no such module"])


@pytest.mark.parametrize("kind", ENDING)
def test_what_ends_an_installation_is_never_let_pass(
    kind: str, rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key], tmp_path: Path
) -> None:
    published(tiny_rpms, keys, tmp_path, ENDING[kind])
    for body in ("", "systemConfig: {scriptletsMayFail: [hello]}"):
        rpm_bench.write(body)
        ran = rpm_bench.oic("rootfs")
        ran.refused("rootfs:small failed: ", f"scriptlet {kind}(hello-")
        assert "lets it pass" not in ran.said
    rpm_bench.write("systemConfig: {scriptletsMayFail: [hello %pre]}")
    rpm_bench.oic("validate").refused("small.yml:8: systemConfig.scriptletsMayFail[0]: expected a package, or one and")


def test_a_layer_in_the_cache_lets_pass_what_it_did_and_no_more(
    rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key], tmp_path: Path
) -> None:
    published(tiny_rpms, keys, tmp_path, KINDS["%post"])
    rpm_bench.write("systemConfig: {scriptletsMayFail: [hello]}")
    rpm_bench.oic("rootfs").succeeded("note: the scriptlet %post of hello failed (exit status 1)")
    log = rpm_bench.image / "log/rootfs.log"
    rpm_bench.write()
    rpm_bench.oic("rootfs").refused("the scriptlet %post of hello failed: exit status 1; its output: no such module")
    assert not log.read_text(), "nothing was installed anew to find out"
    rpm_bench.write("systemConfig: {scriptletsMayFail: ['hello %post', 'gone %post', helo, filesystem]}")
    rpm_bench.oic("rootfs").succeeded(
        "let pass by scriptletsMayFail of the recipe: no such module",
        "note: scriptletsMayFail has no effect for gone %post: the image has no package gone",
        "note: scriptletsMayFail has no effect for helo: the image has no package helo (did you mean hello?)",
        "note: scriptletsMayFail has no effect for filesystem: it did not fail",
    )
    assert not log.read_text()


def test_the_distribution_s_data_may_know_of_it(
    rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key], tmp_path: Path
) -> None:
    published(tiny_rpms, keys, tmp_path, KINDS["%post"])
    (facts,) = rpm_bench.distributions.glob("tiny/rpm1/distribution.yml")
    before = facts.read_text()
    try:
        facts.write_text(f"{before}scriptletsMayFail: [hello %post]\n")
        rpm_bench.oic("rootfs").succeeded("let pass by scriptletsMayFail of the distribution's data: no such module")
    finally:
        facts.write_text(before)
