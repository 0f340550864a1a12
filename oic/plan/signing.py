"""An image that is signed for Secure Boot: the stage that signs it, and what the later ones read of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from oic.config.secure_boot import TOKEN
from oic.handover.disk import SignedFiles
from oic.plan.boot import esp_of
from oic.plan.state import verified
from oic.stages import sign

if TYPE_CHECKING:
    from oic.config.model import FinalConfig
    from oic.handover.codec import Handover
    from oic.image.disk.placed import Layout
    from oic.plan.maker import Maker
    from oic.stage import Stage


def vouched(config: FinalConfig) -> tuple[type[Handover], ...]:
    """Return what tells of a verified root and of signatures, for the stages that read it, where an image has them."""
    return (*verified(config), *((SignedFiles,) if config.secure_boot else ()))


def sign_stages(make: Maker, placed: Layout) -> tuple[Stage[sign.Slice], ...]:
    """Return the stage that signs, where the recipe has keys."""
    keys, esp = make.config.secure_boot, esp_of(make, placed)
    if keys is None:
        return ()
    assert esp is not None
    in_token = keys.key.startswith(TOKEN)
    part = sign.Slice(
        esp=esp,
        file=f"{make.stem}.cer",
        certificate=keys.certificate,
        subject=keys.subject,
        sha256=keys.sha256,
        token=keys.key if in_token else "",
        elsewhere=keys.elsewhere,
    )
    sources = {sign.KEY: Path(keys.key)} if keys.key and not in_token else {}
    return (make.stage(sign.KIND, part, files=(part.file,), sources=sources),)
