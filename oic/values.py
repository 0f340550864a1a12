"""Types for what is easily mixed up."""

from __future__ import annotations

from typing import NewType

Digest = NewType("Digest", str)
"""A sha256 in 64 lower-case hexadecimal digits."""

ImageName = NewType("ImageName", str)
"""A recipe's file name without its ending: the ``edge`` of ``solve:edge``."""

Bytes = NewType("Bytes", int)
"""A size or an offset in bytes."""

Sector = NewType("Sector", int)
"""A size or an offset in sectors of 512 bytes."""
