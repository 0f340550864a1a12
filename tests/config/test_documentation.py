"""``docs/recipe.md`` says what the schema says, of every field, and its examples are recipes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from oic.config.final import load_config
from oic.config.partition_types import type_names
from oic.config.schema import schema_bytes, schema_of
from oic.plan import plan

from .conftest import MIRROR
from .page import PAGE as FILE
from .page import PLACES, examples, mapping, named, page, rows, yaml_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[2]
TEXT = FILE.read_text(encoding="utf-8")
PAGE = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
ESP = {"id": "boot", "type": "esp", "size": "512MiB", "fsType": "fat32", "mountPoint": "/boot/efi"}
ROOT = {"id": "rootfs", "size": "2GiB", "fsType": "ext4", "mountPoint": "/"}
TARGET = {"os": "debian", "dist": "debian12", "arch": "x86_64", "imageType": "raw", "mirror": MIRROR}
NAMED_FILES = {
    "base.yml": yaml.safe_dump({"image": {"name": "base", "version": "1"}, "target": TARGET}),
    "parts/network.yml": "systemConfig: {network: {interfaces: [{name: eth0, dhcp4: true}]}}\n",
    "gateway.lock.json": "{}",
    "files/motd": "Welcome.\n",
}
"""The files that the examples name."""
EXAMPLES = [
    pytest.param(name, piece, id=f"{name}-{number}") for name in PLACES for number, piece in enumerate(examples(name))
]


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


def test_the_page_is_what_the_schema_makes_of_it() -> None:
    assert set(named(TEXT)) == set(PLACES)
    assert page(TEXT) == TEXT, "in tests/: python -m config.page"


@pytest.mark.parametrize("name", PLACES)
def test_every_field_of_a_mapping_has_a_meaning_and_is_in_an_example(name: str) -> None:
    fields = {path.replace("[]", ""): field for path, field, _ in rows(name, mapping(name))}
    assert {path for path, field in fields.items() if not field.get("description")} == set()
    shown = {path for item in mapping(name)["examples"] for path in paths_in(item)}
    elsewhere = {path for path in fields if (*PLACES[name], path) in PLACES.values()}
    assert set(fields) - shown - elsewhere == set()


def paths_in(value: Any, path: str = "") -> Iterator[str]:
    for item in value if isinstance(value, list) else ():
        yield from paths_in(item, path)
    for key, item in value.items() if isinstance(value, dict) else ():
        yield f"{path}{key}"
        yield from paths_in(item, f"{path}{key}.")


@pytest.mark.parametrize(("name", "piece"), EXAMPLES)
def test_an_example_is_a_recipe_and_what_is_not_built_yet_is_marked(name: str, piece: Any, tmp_path: Path) -> None:
    for path, text in NAMED_FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    recipe = {"image": {"name": "gateway", "version": "1.0.0"}, "target": TARGET, **yaml.safe_load(yaml_of(piece))}
    if name == "partition":
        recipe["disk"] = {"size": "3GiB", "partitions": [ESP, ROOT, *recipe["disk"]["partitions"]]}
    if name == "overlayPolicy":
        recipe["baseline"] = mapping("baseline")["examples"][0]
    (tmp_path / "gateway.yml").write_text(yaml.safe_dump(recipe))
    config = load_config(tmp_path / "gateway.yml", {})
    marks = set(marks_in(name, piece))
    if "**not yet**" in marks:
        assert config.unbuilt
    elif not marks:
        assert config.unbuilt == ()
        assert plan(config, tmp_path / "cache")


def marks_in(name: str, piece: Any) -> Iterator[str]:
    """Yield what the table says is built of each field in an example."""
    fields = {path.replace("[]", ""): field.get("x-built") for path, field, _ in rows(name, mapping(name))}
    for key in PLACES[name]:
        piece = piece[key]
    yield from filter(None, (fields.get(path) for path in paths_in(piece)))


@pytest.mark.parametrize("recipe", sorted(PROJECT.glob("recipes/*.yml")), ids=lambda path: path.stem)
def test_an_editor_finds_the_schema_of_a_shipped_recipe_and_no_fault(recipe: Path) -> None:
    """An editor reads YAML by itself, so what stands there as a number is a number."""
    text = recipe.read_text(encoding="utf-8")
    found = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
    assert found
    schema = json.loads((recipe.parent / found[1]).read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    "piece",
    [
        "image: {name: a, version: 1.0}",
        "disk: {size: 4GiB, partitions: [{id: a, start: 1MiB, end: 0, typeUUID: 8300}]}",
        "systemConfig: {kernel: {version: 6.12}, users: [{name: a, password: 1234}]}",
        "systemConfig: {additionalFiles: [{content: a, final: /a, mode: 0640}]}",
    ],
)
def test_an_editor_takes_a_number_where_a_recipe_may_have_one(piece: str) -> None:
    schema = {key: value for key, value in schema_of("recipe").items() if key != "required"}
    jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(piece))
