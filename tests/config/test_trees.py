"""Trees of YAML files that are kept: the same as parsed ones, without a text of theirs, not used when damaged."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from oic.config import trees
from oic.config.trees import MOST, forget, parse
from oic.errors import RecipeError

PROJECT = Path(__file__).parents[2]
FILES = sorted([*(PROJECT / "recipes").glob("*.yml"), *(PROJECT / "oic/distributions").rglob("*.yml")])
AT = Path("a.yml")
SAME = """\ufeffa: &a {b: 'single', c: "double", d: 1.10, e: ~, f: yes, priority: 7, "": ''}
g: [*a, plain text, é — ü, 2024-01-01]
h: |
  first
    second

  third
i: {<<: *a, b: other}
j: >-
  one line
"""


@pytest.mark.parametrize(
    "data",
    [*(path.read_bytes() for path in FILES), SAME.encode()],
    ids=[*(str(path.relative_to(PROJECT)) for path in FILES), "all"],
)
def test_a_tree_that_was_kept_is_the_one_that_was_parsed(
    data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = parse(data, AT)
    assert parse(data, AT, tmp_path) == parsed
    (place,) = tmp_path.iterdir()
    monkeypatch.setattr("oic.config.yaml_text.bare_tree", None)
    assert parse(data, AT, tmp_path) == parsed
    other = parse(data, Path("b.yml"), tmp_path)
    assert (other.file, other.get("image").file) == (Path("b.yml"), Path("b.yml"))
    assert place.stat().st_size < 3 * len(data) + 200


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("hunter2", 1),
        ("'hunter2'", 1),
        ('"hunter2"', 1),
        ("|\n    hunter2\n    more", 1),
        ('"hunter2\\n"', 0),
        ('"hun\\x74er2"', 0),
        (">\n    hunter2\n    b", 0),
    ],
)
def test_no_text_of_a_file_is_in_what_is_kept(value: str, kept: int, tmp_path: Path) -> None:
    data = f"users:\n- password: {value}\n".encode()
    assert "hunter2" in parse(data, AT, tmp_path).get("users").items[0].get("password").text
    assert len(list(tmp_path.iterdir())) == kept
    assert all(b"unter" not in path.read_bytes() for path in tmp_path.iterdir())


def test_a_damaged_tree_is_not_used(tmp_path: Path) -> None:
    data = b"a: [one, two]\nb: {c: yes}\n"
    parsed = parse(data, AT, tmp_path)
    (place,) = tmp_path.iterdir()
    whole = place.read_bytes()
    for at in range(len(whole)):
        place.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert parse(data, AT, tmp_path) == parsed
        place.write_bytes(whole[:at])
        assert parse(data, AT, tmp_path) == parsed
    place.unlink()
    place.mkdir()
    assert parse(data, AT, tmp_path) == parsed
    assert parse(data, AT, Path("/proc/nowhere")) == parsed


def test_a_tree_is_kept_for_its_bytes_and_the_code_that_read_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in (b"a: 1\n", b"a: 2\n"):
        assert parse(text, AT, tmp_path).get("a").text == text.decode()[3]
    assert len(list(tmp_path.iterdir())) == 2
    monkeypatch.setattr(trees, "_CODE", ("yaml_text.py",))
    parse(b"a: 1\n", AT, tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_the_newest_trees_stay(tmp_path: Path) -> None:
    (tmp_path / hashlib.sha256().hexdigest()).touch()
    for number in range(MOST + 20):
        parse(b"a: %d\n" % number, AT, tmp_path)
    assert len(list(tmp_path.glob("*.json"))) == MOST
    forget(tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [""]


def test_a_mistake_is_said_again(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(RecipeError, match="found it here and on line 1"):
            parse(b"a: 1\na: 2\n", AT, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_long_key_that_aliases_repeat_is_refused() -> None:
    data = f"a: &a\n  ? {'k' * 900_000}\n  : 1\nb:\n" + "  - *a\n" * 15_000
    with pytest.raises(RecipeError, match="expected a key path of at most 1000 characters"):
        parse(data.encode(), AT)


@pytest.mark.parametrize("text", ["k" * 900_000, "|\n" + "  k\n" * 200_000])
def test_a_long_text_that_aliases_repeat_is_there_once(text: str, tmp_path: Path) -> None:
    items = parse((f"a: &a {text}\nb:\n" + "  - *a\n" * 10_000).encode(), AT, tmp_path).get("b").items
    assert len(items) == 10_000
    assert len({id(item.value) for item in items}) <= 2
    assert list(tmp_path.iterdir()) == []
