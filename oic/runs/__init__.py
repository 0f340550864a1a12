"""What the stages do. Planning needs none of it, so a command loads it only where a stage runs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from oic.stage import Kind, Stage


def run_of(kind: Kind[Any]) -> Callable[[Stage[Any]], str]:
    """Return the function that runs a stage of that kind: it returns what the user sees, or raises OicError."""
    run: Callable[[Stage[Any]], str] = import_module(f"oic.runs.{kind.name}").run
    return run
