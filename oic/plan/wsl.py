"""The stages that create a root file system for WSL 2: the tree as an archive, and its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oic.plan.artefacts import artefact_stages
from oic.plan.evidence import evidence_stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oic.config.model import User
    from oic.image.disk.placed import Layout
    from oic.plan.maker import Maker
    from oic.stage import Stage


def wsl_stages(make: Maker, placed: Layout, users: Sequence[User]) -> tuple[Stage[Any], ...]:
    """Return the stages that pack the tree, and write the manifest."""
    artefacts = artefact_stages(make, placed)
    return (*artefacts, evidence_stage(make, users, artefacts))
