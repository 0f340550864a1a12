"""A recipe of somebody else's and the environment of the one who builds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.conftest import complain, load  # noqa: F401 - fixtures

if TYPE_CHECKING:
    import pytest
    from config.conftest import Complain, Load

BODY = 'systemConfig: {configurations: [{cmd: "echo ${CANARY_TOKEN}"}]}\n'


def test_what_is_in_the_environment_is_not_the_recipe_s(
    monkeypatch: pytest.MonkeyPatch,
    complain: Complain,  # noqa: F811
) -> None:
    monkeypatch.setenv("CANARY_TOKEN", "a-secret")
    problems = complain(BODY)
    hint = "that of the environment is not read: give var.CANARY_TOKEN=…, or it as OIC_VAR_CANARY_TOKEN"
    place = "small.yml:3: systemConfig.configurations[0].cmd"
    assert problems == [f"{place}: expected a value for ${{CANARY_TOKEN}}, found none ({hint})"]


def test_what_was_put_there_for_recipes_is(monkeypatch: pytest.MonkeyPatch, load: Load) -> None:  # noqa: F811
    monkeypatch.setenv("CANARY_TOKEN", "a-secret")
    monkeypatch.setenv("OIC_VAR_CANARY_TOKEN", "meant")
    assert load(BODY).system.commands[0].cmd == "echo meant"
    assert load(BODY, variables={"CANARY_TOKEN": "said"}).system.commands[0].cmd == "echo said"
