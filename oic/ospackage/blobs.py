"""Where the store keeps a blob, as every module that names one says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oic.values import Digest


def blob_path(digest: Digest) -> str:
    """Return the path of a blob below the store's directory."""
    return f"sha256/{digest[:2]}/{digest}"
