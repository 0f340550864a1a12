"""The package families by name."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from oic.provider.protocol import Provider

FAMILIES = ("deb", "rpm")


def provider_of(name: str) -> Provider:
    """Return the package family of that name; its code is loaded only when a stage asks."""
    return cast("Provider", importlib.import_module(f"oic.provider.{name}.family"))
