"""Relations and Packages indexes: what is read, and what hostile text gets."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oic.errors import TrustError
from oic.provider.deb.packages import PackagesIndex, parse_package
from oic.provider.deb.relation import clause_text, parse_relations

STANZA = (
    b"""Package: foo
Version: 1:2.0-1
Architecture: amd64
Multi-Arch: same
Priority: required
Depends: libc6 (>= 2.36), a [i386] | b (<< 1~) [linux-any],
 folded:any
Provides: virtual (= 3), plain
Filename: pool/f/foo.deb
Size: 17
SHA256: """
    + b"ab" * 32
    + b"\n"
)


def test_a_stanza_is_read() -> None:
    package = parse_package(STANZA, "main", "amd64")
    assert (package.name, package.version, package.multi_arch, package.priority, package.size) == (
        "foo",
        "1:2.0-1",
        "same",
        1,
        17,
    )
    assert [clause_text(clause) for clause in package.depends] == ["libc6 (>= 2.36)", "b (<< 1~)", "folded:any"]
    assert [str(provide) for provide in package.provides] == ["virtual (= 3)", "plain"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a|b , c(>=1)", ["a | b", "c (>= 1)"]),
        ("a (< 1), b (> 1)", ["a (<= 1)", "b (>= 1)"]),
        ("a [!amd64], b [!i386 !armhf], c [any-amd64]", ["b", "c"]),
        ("g++:native (= 4:12.2.0-3)", ["g++:native (= 4:12.2.0-3)"]),
    ],
)
def test_relations_mean_what_deb_control_says(written: str, meant: list[str]) -> None:
    assert [clause_text(clause) for clause in parse_relations(written, "amd64")] == meant


@pytest.mark.parametrize("text", ["a b", "a (>= )", "a (~ 1)", "(>= 1)", "a <!nocheck>", "../x"])
def test_a_malformed_relation_is_refused(text: str) -> None:
    with pytest.raises(TrustError, match="expected a package relation"):
        parse_relations(text, "amd64")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"pool/f/foo.deb", b"../../etc/passwd"),
        (b"pool/f/foo.deb", b"/etc/passwd"),
        (b"Size: 17", b"Size: -1"),
        (b"Size: 17", b"Size: " + b"9" * 100),
        (b"SHA256: abab", b"SHA256: ab"),
        (b"Version: 1:2.0-1", b"Version: 1 2"),
        (b"Version: 1:2.0-1\n", b""),
        (b"Package: foo", b"Package: ../foo"),
        (b"(>= 2.36)", b"(>= 2.36"),
    ],
)
def test_a_malformed_field_is_refused_by_name(before: bytes, after: bytes) -> None:
    assert before in STANZA
    with pytest.raises(TrustError, match=r"^main: "):
        parse_package(STANZA.replace(before, after), "main", "amd64")


def test_other_architectures_are_not_there() -> None:
    index = PackagesIndex("main", "arm64")
    index.add(STANZA)
    assert list(index.packages("foo")) == []


@given(st.binary(max_size=300), st.integers(0, len(STANZA)))
def test_no_bytes_crash_the_index(junk: bytes, place: int) -> None:
    index = PackagesIndex("main", "amd64")
    with contextlib.suppress(TrustError):
        index.add(STANZA[:place] + junk + STANZA[place:] + b"\n\n" + junk)
    for name in list(index.names):
        with contextlib.suppress(TrustError):
            list(index.packages(name))


@given(st.text(max_size=60))
def test_no_text_crashes_the_relation_parser(text: str) -> None:
    with contextlib.suppress(TrustError):
        parse_relations(text, "amd64")
