# ruff: noqa: E501  messages stand whole, as a user sees them
from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oic.config.source import plain, read_bytes
from oic.config.trees import parse
from oic.errors import RecipeError

HERE = Path("r.yml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "r.yml: expected a mapping such as 'image: …', found an empty file"),
        (b"[1]", "r.yml:1: expected a mapping such as 'image: …', found a list"),
        (b"edge", "r.yml:1: expected a mapping such as 'image: …', found 'edge'"),
        (b"a: 1\nb: 2\na: 3\n", "r.yml:3: a: expected each key once, found it here and on line 1"),
        (b"x:\n  y: [{a: 1, a: 2}]\n", "r.yml:2: x.y[0].a: expected each key once, found it here and on line 2"),
        (b"a: 1\nb: \xff\n", "r.yml:2: expected UTF-8 text, found the byte 0xff"),
        (b"a: 1\nb: \x01\n", "r.yml:2: expected text, found the control character 0x01"),
        (b"a: !!python/name:os.system x", "r.yml:1: a: expected a plain value, found a YAML tag"),
        (b"a: !!set {x: }", "r.yml:1: a: expected a plain value, found a YAML tag"),
        (b"? [a]\n: 1\n", "r.yml:1: expected a word as key, found a list or mapping"),
        (b"a: &x {c: 1}\nb:\n  <<: [*x, 1]\n", "r.yml:3: b: expected a mapping, or a list of them, after the merge key '<<'"),
        (b"[" * 51 + b"]" * 51, "r.yml:1: expected at most 50 levels of nesting, found more"),
        (b"[" * 100_000, "r.yml:1: expected at most 50 levels of nesting, found more"),
        (b"a:\n  " + b"{b: " * 100_000, "r.yml:2: expected at most 50 levels of nesting, found more"),
        (b"- " * 100_000, "r.yml:1: expected at most 50 levels of nesting, found more"),
        (b"a: &a {b: *a}", "r.yml:1: expected at most 50 levels of nesting, found more"),
        (b"a: 1\n--- \nb: 2\n", "r.yml:2: expected one YAML document, found a second"),
    ],
)  # fmt: skip
def test_what_is_no_recipe_is_said_in_one_line(text: bytes, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse(text, HERE)
    assert str(caught.value) == message


def test_a_tab_is_named_as_what_is_wrong() -> None:
    with pytest.raises(RecipeError, match=r"^r\.yml:2: expected YAML, .*there is a tab\)$"):
        parse(b"a:\n\tb: 1\n", HERE)


def test_a_billion_laughs_are_refused() -> None:
    lines = [b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 9):
        below = b", ".join([b"*a%d" % (level - 1)] * 10)
        lines.append(b"a%d: &a%d [%s]" % (level, level, below))
    with pytest.raises(RecipeError, match="expected at most 100000 values, found more once aliases are unfolded"):
        parse(b"\n".join(lines), HERE)


def test_an_alias_may_be_used() -> None:
    assert plain(parse(b"a: &a [x]\nb: *a\n", HERE)) == {"a": ["x"], "b": ["x"]}


def test_numbers_are_their_own_text_but_for_integer_keys() -> None:
    tree = parse(b"v: 1.10\nw: 012\nd: 2024-01-01\npriority: 5\nindex: 1_0\nn: ~\nyes: no\n", HERE)
    assert plain(tree) == {
        "v": "1.10",
        "w": "012",
        "d": "2024-01-01",
        "priority": 5,
        "index": "1_0",
        "n": None,
        "yes": False,
    }


def test_a_value_knows_the_line_of_its_key_and_its_path() -> None:
    node = parse(b"a:\n  b:\n    - c\n    - d: e\n", HERE).get("a", "b").items[1].get("d")
    assert (node.where, node.path) == ("r.yml:4", "a.b[1].d")


def test_a_missing_value_is_placed_where_it_would_be() -> None:
    node = parse(b"x: 1\na:\n  b: 1\n", HERE).get("a", "c", "d")
    assert (node.value, node.where, node.path) == (None, "r.yml:2", "a.c.d")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "big.yml").write_bytes(b"# " + b"x" * 10_000_000)
    for name, found in (
        ("none.yml", "expected a YAML file, found nothing of this name"),
        (".", "expected a YAML file, found a directory"),
        ("big.yml", "expected a recipe of at most 1 MiB, found a larger file"),
        ("big.yml/x.yml", "expected a readable file, found: Not a directory"),
    ):
        with pytest.raises(RecipeError) as caught:
            read_bytes(tmp_path / name)
        assert str(caught.value) == f"{tmp_path / name}: {found}"


@example(b".\n\n!")
@given(st.binary(max_size=200) | st.text(alphabet="ab:[]{}-&*!#|>'\"\n\t ?,%@0", max_size=200).map(str.encode))
def test_no_bytes_do_worse_than_a_recipe_error(data: bytes) -> None:
    try:
        parse(data, HERE)
    except RecipeError as error:
        assert "\n" not in str(error)  # noqa: PT017  both outcomes are right
