"""Each field of a recipe changes the slices of exactly the listed stages in the plan. Nothing is built."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from oic.config.final import load_config
from oic.config.schema import schema_bytes
from oic.plan import plan

from .edits import EDITS, Edit, edits_of
from .families import FAMILIES, Family
from .place import STAGES, Place
from .unbuilt import UNBUILT, laid_over

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ELSEWHERE = {
    "lock": "test_a_lock_beside_the_recipe_replaces_the_stage_metadata",
    "disk.artifacts.compression": "test_artefacts.py",
}
"""Fields whose edits change which stages there are, and the test of each."""


@pytest.fixture(params=FAMILIES, ids=str)
def family(request: pytest.FixtureRequest) -> Family:
    return cast("Family", request.param)  # nothing is built, so no family is slow


@pytest.fixture
def place(tmp_path: Path, family: Family) -> Place:
    return Place(root=tmp_path, family=family)


@pytest.fixture
def slices(place: Place) -> Any:
    def read(recipe: dict[str, Any]) -> dict[str, Any]:
        place.write(recipe)
        return {stage.name: stage.origin() for stage in plan(load_config(place.recipe, {}), place.cache)}

    return read


def based(recipe: dict[str, Any]) -> dict[str, Any]:
    target = {"mirror": "https://base.invalid/debian", **recipe["target"]}
    return {**recipe, "target": target}


EACH = pytest.mark.parametrize(
    ("family", "edit"),
    [pytest.param(family, edit, id=f"{family}-{edit.name}") for family in FAMILIES for edit in edits_of(family)],
    indirect=["family"],
)


@EACH
def test_an_edit_changes_the_slices_of_exactly_these_stages(edit: Edit, family: Family, slices: Any) -> None:
    before, after = slices(based(family.recipe)), slices(based(edit.edited(family.recipe)))
    assert {name for name in STAGES if before[name] != after[name]} == edit.direct


def test_another_table_changes_what_names_or_places_partitions(family: Family, slices: Any) -> None:
    recipe = based(family.recipe)
    recipe["systemConfig"]["bootloader"] = {"bootType": "legacy", "provider": "grub"}
    before = slices(recipe)
    recipe["disk"]["partitionTableType"] = "mbr"
    after = slices(recipe)
    assert {name for name in STAGES if before[name] != after[name]} == {"system", "boot", "disk", "evidence"}


@EACH
def test_every_stage_whose_slice_changes_runs(edit: Edit, family: Family) -> None:
    assert edit.ran is None or edit.direct <= edit.ran, family


@pytest.mark.parametrize(("piece", "path"), UNBUILT, ids=[path for _, path in UNBUILT])
def test_a_field_without_a_row_is_refused_by_name(piece: dict[str, Any], path: str, place: Place) -> None:
    place.write(laid_over(based(place.family.recipe), piece))
    refused = [line.split(": ")[1] for line in load_config(place.recipe, {}).unbuilt]
    assert path in refused, "a field that is built now has its row among the edits"


def test_the_table_has_every_field_of_the_schema() -> None:
    schema = json.loads(schema_bytes("recipe"))
    edited = {field for edit in EDITS for field in edited_by(edit)}
    refused = {path.lstrip(".") for piece, _ in UNBUILT for path in below("", piece)}
    fields = set(fields_of(schema, schema, ""))
    assert fields - edited - refused - set(ELSEWHERE) == set()
    assert set(ELSEWHERE) <= fields - edited - refused, "what has a row needs no exception"


def test_a_new_field_would_be_missed() -> None:
    """Otherwise the test above would pass for nothing."""
    schema = json.loads(schema_bytes("recipe"))
    for name in ("user", "interface", "packageRepository", "overlayPolicy"):
        schema["$defs"][name]["properties"]["newField"] = {"$ref": "#/$defs/boolean"}
    found = [field for field in fields_of(schema, schema, "") if field.endswith("newField")]
    assert found == [
        "packageRepositories.newField",
        "systemConfig.network.interfaces.newField",
        "systemConfig.users.newField",
        "overlayPolicy.newField",
    ]


def edited_by(edit: Edit) -> Iterator[str]:
    """Yield the key path of every field that an edit sets, without the numbers of lists."""
    yield from below(".".join(word for word in edit.field.split(".") if not word.isdigit()), edit.value)


def below(path: str, value: Any) -> Iterator[str]:
    yield path
    for item in value if isinstance(value, list) else ():
        yield from below(path, item)
    for key, item in value.items() if isinstance(value, dict) else ():
        yield from below(path if isinstance(key, int) else f"{path}.{key}", item)


def fields_of(schema: dict[str, Any], node: dict[str, Any], path: str) -> list[str]:
    """Return the key path of every field below a node of the schema; lists are transparent.

    A field that may be a string or a mapping, such as a key, counts as one field.
    """
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    if "items" in node:
        return fields_of(schema, node["items"], path)
    if "properties" not in node or "string" in node.get("type", ()):
        return [path] if path else []
    return [
        field
        for name, below in node["properties"].items()
        for field in fields_of(schema, below, f"{path}.{name}".lstrip("."))
    ]


def test_a_slice_depends_on_the_content_and_mode_of_a_file_and_not_on_its_time(place: Place) -> None:
    place.write(based(place.family.recipe))
    motd = place.root / "files/motd"

    def seen() -> dict[str, Any]:
        return {stage.name: stage.origin() for stage in plan(load_config(place.recipe, {}), place.cache)}

    before = seen()
    motd.touch()
    assert seen() == before
    motd.chmod(0o664)
    assert seen() == before, "the umask does not affect the image"
    motd.chmod(0o600)
    assert {name for name, value in seen().items() if value != before[name]} == {"system", "evidence"}
    place.recipe.chmod(0o600)
    assert seen() == before, "nor does a restrictive umask"
    place.recipe.chmod(0o644)
    motd.chmod(0o755)
    assert {name for name, value in seen().items() if value != before[name]} == {"system", "evidence"}
    motd.chmod(0o644)
    motd.write_text("other\n")
    assert {name for name, value in seen().items() if value != before[name]} == {"system", "evidence"}


def test_a_comment_changes_nothing(place: Place) -> None:
    place.write(based(place.family.recipe))
    before = [stage.origin() for stage in plan(load_config(place.recipe, {}), place.cache)]
    place.recipe.write_text("# a comment\n" + place.recipe.read_text())
    assert [stage.origin() for stage in plan(load_config(place.recipe, {}), place.cache)] == before


def test_a_lock_beside_the_recipe_replaces_the_stage_metadata(place: Place) -> None:
    place.write(based(place.family.recipe))
    (place.root / "small.lock.json").write_text("{}")
    stages = plan(load_config(place.recipe, {}), place.cache)
    assert [stage.name for stage in stages] == list(STAGES[1:])
    before = stages[0].origin()
    (place.root / "small.lock.json").write_text("{ }")
    assert stages[0].origin() != before
