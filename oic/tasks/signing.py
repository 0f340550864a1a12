"""``sign-import``: programs that were signed elsewhere come back, and the next build goes on from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oic.errors import OicError
from oic.handover.disk import SignedFiles
from oic.stages import sign
from oic.tasks import claim
from oic.tasks.answers import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from oic.config.model import FinalConfig
    from oic.stage import Stage


def check(stages: Sequence[Stage[Any]], given: Mapping[str, str]) -> None:
    """Raise OicError for a recipe that is not signed elsewhere, and where nothing says what to take."""
    if _stage_of(stages) is None:
        raise OicError("expected a recipe with signing: elsewhere (systemConfig.immutability), found another")
    if not given.get("from"):
        raise OicError("expected from=DIRECTORY, where the signed programs are, found nothing")


def check_signed_here(stages: Sequence[Stage[Any]]) -> None:
    """Raise OicError for a recipe that is signed elsewhere, as other builds of it have no signatures."""
    if _stage_of(stages):
        raise OicError("expected a recipe that is signed here, as two builds are compared, found signing: elsewhere")


def take(config: FinalConfig, stages: Sequence[Stage[Any]], given: Mapping[str, str], stood_in: Path) -> None:
    """Take what was signed; raises OicError, and keeps nothing then."""
    from oic.image.signing.request import read_request, take_signatures  # noqa: PLC0415 - its library takes long to load

    stage = _stage_of(stages)
    assert stage is not None
    claim.hold(stage.directory, stage.recipe)
    request = read_request(stage.path(sign.REQUEST))
    wanted = sign.named_certificate(stage.slice)
    found = take_signatures(stage.path(sign.REQUEST), stood_in / given["from"], stage.path(sign.KEPT), wanted)
    stage.place_of(SignedFiles).unlink(missing_ok=True)  # the stage runs again, with these
    subject = found.subject.rfc4514_string()
    say(f"{len(request.files)} programs signed by {subject}; oic build {config.recipe.name} goes on")


def _stage_of(stages: Sequence[Stage[Any]]) -> Stage[sign.Slice] | None:
    return next((one for one in stages if one.name == sign.KIND.name and one.slice.elsewhere), None)
