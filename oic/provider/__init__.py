"""The package families by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oic.provider.protocol import Provider

FAMILIES = ("deb", "rpm")


def provider_of(name: str) -> Provider:
    """Return the package family of that name; its code is loaded only when a stage asks."""
    if name == "deb":
        from oic.provider.deb import family as deb  # noqa: PLC0415

        return deb
    if name == "rpm":
        from oic.provider.rpm import family as rpm  # noqa: PLC0415

        return rpm
    raise ValueError(f"expected a package family out of {', '.join(FAMILIES)}, found {name}")
