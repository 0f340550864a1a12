"""The initramfs that is a whole system: as an image of its own, and as what an ISO boots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oic.ospackage.lock import MEDIUM
from oic.plan.evidence import evidence_stage
from oic.plan.tree import tree_of, tree_stages
from oic.stages import img

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oic.config.model import FinalConfig, User
    from oic.image.disk.placed import Layout
    from oic.plan.maker import Maker
    from oic.stage import Stage

_UNUSED = (
    *("boot/*", "usr/lib/firmware", "usr/share/doc", "usr/share/info", "usr/share/locale", "usr/share/man"),
    "var/cache/*",
    *(
        f"usr/lib/modules/*/kernel/{name}"
        for name in (
            *("sound", "net/bluetooth", "net/wireless", "drivers/bluetooth", "drivers/gpu", "drivers/iio"),
            *("drivers/infiniband", "drivers/media", "drivers/net/wireless", "drivers/staging"),
        )
    ),
)
"""What of its tree an initramfs on a medium does without: it is in memory as long as it runs."""


def img_stages(make: Maker, placed: Layout, users: Sequence[User]) -> tuple[Stage[Any], ...]:
    """Return the stages that pack the tree of the image, and write its manifest."""
    del placed
    names = (f"{make.stem}.img", f"{make.stem}.vmlinuz")
    packed = make.stage(img.KIND, img.Slice(initramfs=names[0], kernel=names[1], excluded=()), files=names)
    return (packed, evidence_stage(make, users, (packed,)))


def medium_stages(make: Maker, medium: FinalConfig, placed: Layout, users: Sequence[User]) -> tuple[Stage[Any], ...]:
    """Return the stages that make the initramfs of an ISO."""
    tree = tree_of(medium, placed, users, MEDIUM)
    part = img.Slice(initramfs="initramfs.img", kernel="kernel", excluded=_UNUSED)
    return (*tree_stages(make, tree), make.stage(img.OF_MEDIUM, part, files=("initramfs.img", "kernel"), tree=MEDIUM))
