from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from oic.config.schema import schema_bytes
from oic.config.sizes import parse_size, shown_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4GiB", 4 << 30), ("4G", 4 << 30), ("4096 MiB", 4 << 30), ("513MiB", 513 << 20), ("8GB", 8_000_000_000),
        ("1024K", 1 << 20), ("2TiB", 2 << 40), ("64KB", 64_000),
        ("513MB", 513_000_448), ("1KB", 1024),
    ],
)  # fmt: skip
def test_sizes_mean_what_public_templates_mean(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "4", "0GiB", "-1GiB", "1.5GiB", "4gib", "4 GiBs", "GiB", "4  GiB", "٤GiB", "9" * 30 + "GiB"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=rf"expected a size .*, found '{re.escape(text)}'"):
        parse_size(text)


@given(st.integers(min_value=1, max_value=1 << 50).map(lambda sectors: sectors * 512))
def test_a_shown_size_reads_back(size: int) -> None:
    text = shown_size(size)
    assume(not text.endswith("bytes") and len(text) <= 12)
    assert parse_size(text) == size


@given(st.from_regex(r"[0-9]{1,9} ?[KMGT](iB|B)?", fullmatch=True))
def test_the_schema_accepts_what_the_parser_reads(text: str) -> None:
    pattern = r"^[0-9]{1,9} ?[KMGT](iB|B)?$"
    assert pattern.encode() in schema_bytes("recipe")
    try:
        parse_size(text)
    except ValueError as error:
        assert "one sector" in str(error)  # noqa: PT017  both outcomes are right
