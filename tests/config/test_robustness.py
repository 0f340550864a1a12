"""Whatever a recipe holds, the answer is a config or a `RecipeError` that names a line of it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oic.config.final import load_config
from oic.config.schema import schema_bytes
from oic.errors import RecipeError
from oic.values import to_json

from .conftest import HEAD

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = json.loads(schema_bytes("recipe"))
SCALARS: st.SearchStrategy[Any] = st.sampled_from(
    [
        "",
        "0",
        "auto",
        "none",
        "/",
        "/a",
        "/../b",
        "a",
        "1MiB",
        "2MiB",
        "2GiB",
        "1KB",
        "esp",
        "linux",
        "8300",
        "ext4",
        "$6$a$b",
        "é",
        "\0",
    ]
) | st.sampled_from([None, True, False, 0, 1, -1, [], {}, [[]], [None], "${x}", "x.yml", "small.yml", "."])


def shaped(schema: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that often have the shape of a schema, and sometimes none at all."""
    if "$ref" in schema:
        return shaped(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], depth)
    if "properties" in schema:
        fields = {key: shaped(value, depth + 1) for key, value in schema["properties"].items()}
        right: st.SearchStrategy[Any] = st.fixed_dictionaries({}, optional=fields)
    elif schema.get("type") == "array":
        right = st.lists(shaped(schema["items"], depth + 1), max_size=3)
    elif "enum" in schema:
        right = st.sampled_from(schema["enum"])
    else:
        right = SCALARS
    return right | SCALARS


@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(
    shaped(
        {"properties": {key: value for key, value in SCHEMA["properties"].items() if key not in {"image", "target"}}}
    )
)
def test_no_recipe_does_worse_than_a_recipe_error(tmp_path: Path, body: Any) -> None:
    recipe = tmp_path / "small.yml"
    body = body if isinstance(body, dict) else {"systemConfig": body}
    recipe.write_text(HEAD + "".join(f"{key}: {json.dumps(value)}\n" for key, value in body.items()))
    try:
        config = load_config(recipe, {})
    except RecipeError as error:
        for line in str(error).splitlines():
            assert re.match(rf"{tmp_path}/small\.yml(:[0-9]+: |: )", line), line
    else:
        assert to_json(config) == to_json(load_config(recipe, {}))
