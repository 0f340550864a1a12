"""Turns a final config into the stages of the build.

::

    metadata ─ solve ─ download ─ verify ─ chroot ─ rootfs ─ system ─┬─ fs ────────────┬─ disk ─ convert ─┐
                                                                     ├─ initrd ─ boot ─┘                  ├─ evidence
                                                                     └─ archive ──────────────────────────┘

* Of the config, a stage sees only its slice; of other stages, only their hand-overs.
* ``system`` writes four hand-overs, so that ``initrd``, ``boot`` and ``evidence`` depend only on what they read of the
  tree.
* Planning reads nothing but the config, which must be one that can be built.
* An ISO has a second tree, that of the initramfs it boots, and in place of ``disk`` what `oic.plan.iso` shows.
* A root file system for WSL 2 has no kernel: of the stages after ``system``, it has ``archive`` and ``evidence`` only.
* If the boot loader reads the image's own tree, as GRUB does, ``fs`` comes after ``boot``, whose layer it merges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from oic.config.crypt import hashed
from oic.config.disk import IMG, ISO, WSL
from oic.ospackage.lock import MEDIUM
from oic.plan.boot import disk_of
from oic.plan.iso import iso_stages
from oic.plan.maker import Maker
from oic.plan.medium import img_stages
from oic.plan.packages import package_stages
from oic.plan.raw import raw_stages
from oic.plan.tree import tree_of, tree_stages
from oic.plan.wsl import wsl_stages
from oic.stages import (
    archive,
    boot,
    chroot,
    collect,
    convert,
    disk,
    download,
    evidence,
    fs,
    img,
    initrd,
    iso,
    live,
    metadata,
    payload,
    rootfs,
    sign,
    solve,
    system,
    verify,
    verity,
)

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from oic.config.model import FinalConfig
    from oic.stage import Stage


PRODUCTS = {"raw": raw_stages, WSL: wsl_stages, IMG: img_stages, ISO: iso_stages}
"""The kinds of images, by their names in recipes."""

KINDS = tuple(
    module.KIND
    for module in (
        collect,
        metadata,
        solve,
        download,
        verify,
        chroot,
        rootfs,
        system,
        initrd,
        verity,
        fs,
        boot,
        sign,
        disk,
        convert,
        archive,
        img,
        payload,
        live,
        iso,
        evidence,
    )
)
_OF_MEDIUM = {
    f"{kind.name}-{MEDIUM}": f"{kind.doc}, of what an ISO boots" for kind in (rootfs.KIND, system.KIND, img.KIND)
}
DOCS = {**{kind.name: kind.doc for kind in KINDS}, **_OF_MEDIUM}
"""What each stage does, by its name."""


def plan(config: FinalConfig, cache: Path) -> tuple[Stage[Any], ...]:
    """Return the stages of an image in an order in which they can run."""
    make = Maker(config=config, cache=cache)
    placed = disk_of(config, make.seed).placed({})
    users = tuple(replace(user, password=hashed(user, make.seed)) for user in config.system.users)
    product = PRODUCTS[config.target.image_type]
    return (
        *package_stages(make),
        *tree_stages(make, tree_of(config, placed, users)),
        *product(make, placed, users),
    )
