from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from oic.config.partition_types import type_names
from oic.config.schema import schema_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = re.sub(r"```.*?```", "", (Path(__file__).parents[2] / "docs/recipe.md").read_text(), flags=re.DOTALL)


def fields(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value.get("properties", {})
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from fields(below)


@pytest.mark.parametrize("schema", ["recipe", "distribution"])
def test_every_field_of_the_format_is_on_its_page(schema: str) -> None:
    words = set(re.findall(r"[A-Za-z_0-9]+", " ".join(re.findall(r"`[^`]+`", PAGE))))
    assert set(fields(json.loads(schema_bytes(schema)))) - words == set()


def test_every_partition_type_is_on_its_page() -> None:
    simple = {name for name in type_names() if not name.startswith(("linux-usr", "linux-root"))}
    assert {name for name in simple if f"`{name}`" not in PAGE} == set()
