"""Rich dependencies, ``(a or b)``, ``(a if b else c)``: which of the chosen packages satisfy one.

The grammar is that of rpm (docs/manual/boolean_dependencies.md of its source). A name may contain parentheses, such as
``perl(Foo::Bar)``: a parenthesis opens an expression only where a name would begin.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oic.errors import TrustError

if TYPE_CHECKING:
    from collections.abc import Callable

_OPERATOR = re.compile(r"\s+(and|or|if|unless|else|with|without)\s+")
_PARENTHESIS = re.compile(r"[()]")
_MAX_DEPTH = 100
_VERSION = re.compile(r"\s+(?:<=|>=|<|>|=)\s+[^\s()]+")


def satisfying(text: str, providers: Callable[[str], frozenset[str]]) -> frozenset[str]:
    """Return the names of packages that satisfy `text`, empty where none is needed; raises TrustError for deep nesting.

    `providers` returns the names of packages that satisfy a simple dependency.
    """
    check_nesting(text)
    found, _ = _operand(text, 0, providers)
    return found


def check_nesting(text: str, *, where: str | None = None) -> None:
    """Raise TrustError when a dependency is nested so deep that a recursive reader, such as libsolv, may crash."""
    depth = 0
    for place in _PARENTHESIS.finditer(text):
        depth = depth + 1 if place[0] == "(" else max(0, depth - 1)
        if depth > _MAX_DEPTH:
            message = f"expected a dependency of at most {_MAX_DEPTH} nested parentheses, found more"
            raise TrustError(f"{message}: {text[:60]!r}", where=where)


def _operand(text: str, start: int, providers: Callable[[str], frozenset[str]]) -> tuple[frozenset[str], int]:
    """Return the packages for the operand at `start`, and where it ends."""
    if text[start : start + 1] == "(":
        return _expression(text, start + 1, providers)
    end = _end_of_name(text, start)
    if version := _VERSION.match(text, end):
        end = version.end()
    return providers(text[start:end]), end


def _expression(text: str, start: int, providers: Callable[[str], frozenset[str]]) -> tuple[frozenset[str], int]:
    value, end = _operand(text, start, providers)
    operator = ""
    values = [value]
    while match := _OPERATOR.match(text, end):
        operator = operator or match[1]
        value, end = _operand(text, match.end(), providers)
        values.append(value)
    return _value(operator, values), end + 1


def _end_of_name(text: str, start: int) -> int:
    depth = 0
    for place in range(start, len(text)):
        if text[place] == "(":
            depth += 1
        elif text[place] == ")":
            if not depth:
                return place
            depth -= 1
        elif text[place].isspace() and not depth:
            return place
    return len(text)


def _value(operator: str, values: list[frozenset[str]]) -> frozenset[str]:
    first, *rest = values
    otherwise = rest[1] if len(rest) > 1 else frozenset()
    match operator:
        case "or":
            return next(filter(None, values), first)
        case "if":
            return first if rest[0] else otherwise
        case "unless":
            return otherwise if rest[0] else first
        case "with":
            return first.intersection(*rest)
        case "without":
            return first.difference(*rest)
        case _:
            return first.union(*rest)
