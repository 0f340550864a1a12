"""Rich dependencies: which of the packages there make one come true, for the edges of the lock."""

from __future__ import annotations

import pytest

from oic.provider.rpm.rich import satisfying


@pytest.mark.parametrize(
    ("text", "there", "expected"),
    [
        ("a", "a", "a"),
        ("a >= 1", "", ""),
        ("(a or b)", "b", "b"),
        ("(a or b or c)", "b c", "b"),
        ("(a and b and c)", "a b c", "a b c"),
        ("(a if b)", "a", ""),
        ("(a if b)", "a b", "a"),
        ("(a if b else c)", "c", "c"),
        ("(a unless b)", "a b", ""),
        ("(a unless b else c)", "a b c", "c"),
        ("((a and b) or c)", "c", "c"),
        ("((a if b) and (c >= 2 if d))", "a b c d", "a c"),
        ("(perl(Foo::Bar) >= 1.5 or b)", "perl(Foo::Bar)", "perl(Foo::Bar)"),
        ("(libc.so.6(GLIBC_2.4)(64bit) and b)", "libc.so.6(GLIBC_2.4)(64bit) b", "b libc.so.6(GLIBC_2.4)(64bit)"),
        ("(x with y)", "x y", ""),
        ("(a without b)", "a b", "a"),
    ],
)
def test_rich_dependencies_are_read(text: str, there: str, expected: str) -> None:
    found = satisfying(text, lambda simple: frozenset({simple.partition(" ")[0]} & set(there.split())))
    assert found == frozenset(expected.split())


@pytest.mark.parametrize("text", ["", "(", "((", "()", ")", "(a or", "(a or b", "a)b", "(a or b))", "( a or b )"])
def test_a_damaged_rich_dependency_does_not_hang(text: str) -> None:
    satisfying(text, lambda simple: frozenset({simple}))
