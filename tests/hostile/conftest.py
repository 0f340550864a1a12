"""The tiny distribution of tests/e2e, to be hostile with."""

from __future__ import annotations

from e2e.conftest import bench, distributions, packages, signers, tiny

__all__ = ["bench", "distributions", "packages", "signers", "tiny"]
