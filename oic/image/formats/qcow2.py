"""qcow2, QEMU's own format (docs/interop/qcow2.rst of QEMU). It has no random values."""

from __future__ import annotations

from typing import IO

QEMU = "qcow2"
OPTIONS = ""
UNIT = 512


def set_identifiers(image: IO[bytes], uuid: str) -> None:
    """Leave the file as it is."""
