"""Fields: what is read of a stanza, and what is refused as dpkg refuses it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oic.deb822 import fields_of, places_of, stanzas_of
from oic.errors import TrustError

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "Package: a\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: small\n"
STATUS = "Status: install ok installed\n"


def test_fields_have_lower_case_names_and_lines_that_are_stripped() -> None:
    assert fields_of("Package: a\nDEPENDS : b,\n  c \nSHA256:\n x 1\n\ty 2\nEmpty:\n") == {
        "package": "a",
        "depends": "b,\nc",
        "sha256": "\nx 1\ny 2",
        "empty": "",
    }


def test_blank_lines_around_a_stanza_are_not_part_of_it() -> None:
    assert fields_of("\n\r\n" + GOOD + "\n\n") == fields_of(GOOD)
    assert fields_of("") == fields_of("\n\n") == {}


def test_only_a_newline_ends_a_line() -> None:
    assert fields_of("A: 1\x0bB: 2\u2028C: 3\x85D: 4\n") == {"a": "1\x0bB: 2\u2028C: 3\x85D: 4"}


@pytest.mark.parametrize(
    ("stanza", "message"),
    [
        (GOOD + "Package: b\n", "expected the field 'Package' once, found it again"),
        (GOOD + "package: b\n", "expected the field 'package' once, found it again"),
        (" folded\n" + GOOD, "expected a field, found a continuation line first: 'folded'"),
        (GOOD + "nonsense\n", "expected a field and its value, found 'nonsense'"),
        (GOOD + ": nothing\n", "expected a field and its value, found ': nothing'"),
        (GOOD + "\n" + GOOD, "expected a field and its value, found a blank line"),
    ],
)
def test_a_malformed_stanza_is_refused_as_by_dpkg(stanza: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(TrustError) as raised:
        fields_of(stanza, where="here")
    assert str(raised.value) == f"here: {message}"
    if "blank" in message:
        return  # dpkg's database has several stanzas
    assert _dpkg_reads(GOOD, tmp_path)
    assert not _dpkg_reads(stanza, tmp_path)


def _dpkg_reads(stanza: str, place: Path) -> bool:
    (place / "status").write_text(STATUS + stanza if not stanza.startswith(" ") else stanza)
    (place / "info").mkdir(exist_ok=True)
    return subprocess.run(["dpkg-query", f"--admindir={place}", "-W"], capture_output=True, check=False).returncode == 0


def test_a_file_of_several_stanzas_may_have_comments_and_lines_of_blanks() -> None:
    text = "# first\nA: 1\n# within\n b\n \t\n# between\nA: 2\n\n\n\nA: 3"
    assert [fields_of(stanza) for stanza in stanzas_of(text)] == [{"a": "1\nb"}, {"a": "2"}, {"a": "3"}]


def test_places_of_stanzas_follow_one_another() -> None:
    data = b"A: 1\n\nA: 2\n\n\nA: 3"
    assert [data[start:end] for start, end in places_of(data)] == [b"A: 1\n\n", b"A: 2\n\n", b"\nA: 3"]
    assert list(places_of(data, 6)) == list(places_of(data))[1:]


@given(st.text(alphabet=st.sampled_from("aA:# \t\n\r\x0b"), max_size=40))
def test_any_text_is_a_stanza_or_refused(text: str) -> None:
    try:
        fields = fields_of(text)
    except TrustError:
        return
    assert all(name and name == name.strip().lower() for name in fields)
    assert "".join(text.split()).count(":") >= len(fields)
