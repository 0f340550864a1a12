"""Each stage has a run of its own name, for a slice of its own type, as nothing else holds the two to each other."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from oic import runs
from oic.plan import KINDS
from oic.runs import run_of

if TYPE_CHECKING:
    from oic.stage import Kind


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_stage_has_a_run_for_its_slice(kind: Kind[Any]) -> None:
    run = run_of(kind)
    assert inspect.get_annotations(run) == {"stage": "Stage[Slice]", "return": "str"}
    source = Path(inspect.getfile(run)).read_text(encoding="utf-8")
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    origin = {alias.name: node.module for node in imports for alias in node.names}
    assert origin["Slice"] == f"oic.stages.{kind.name}"


def test_there_is_no_run_without_a_stage() -> None:
    files = {path.stem for path in Path(inspect.getfile(runs)).parent.glob("*.py")}
    assert files - {"__init__"} == {kind.name for kind in KINDS}
