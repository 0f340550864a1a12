"""The stages that make an ISO: what it installs or runs, the initramfs that it boots, the medium, its manifest.

::

    image's tree ─┬─ initrd, boot, fs ─ payload ─┐
                  └─ live ───────────────────────┼─ iso ─ evidence
    tree of the medium ─ img ────────────────────┘
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from oic.config.crypt import hashed
from oic.config.iso import LIVE, installs
from oic.handover.disk import LiveTree, Payload
from oic.handover.packages import LockFile, Verified
from oic.image.disk.bios import BIOS_BOOT
from oic.image.medium import LIVE_FILE
from oic.image.payload import PayloadState
from oic.image.seeds import uuid_for, volume_id_for
from oic.plan.boot import disk_of
from oic.plan.evidence import evidence_stage
from oic.plan.medium import medium_stages
from oic.plan.raw import disk_stages
from oic.plan.signing import vouched
from oic.plan.state import state_of
from oic.plan.tree import is_esp, is_mounted
from oic.stages import iso, live, payload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oic.config.iso import Iso
    from oic.config.model import FinalConfig, User
    from oic.handover.codec import Handover
    from oic.image.disk.placed import Layout
    from oic.plan.maker import Maker
    from oic.stage import Stage

_MOST_LABEL = 32  # ECMA-119 section 8.4.4


def iso_stages(make: Maker, placed: Layout, users: Sequence[User]) -> tuple[Stage[Any], ...]:
    """Return the stages that make an ISO of the tree."""
    config = make.config
    assert config.iso is not None
    assert config.medium is not None
    medium = config.medium
    own = tuple(replace(user, password=hashed(user, make.seed)) for user in medium.system.users)
    content: list[Stage[Any]] = []
    reads: list[type[Handover]] = [*iso.KIND.reads]
    if installs(config.iso):
        of_payload = (*payload.KIND.reads, *vouched(config))
        content += disk_stages(make, placed)
        content.append(make.stage(payload.KIND, _payload(make, config.iso, placed), reads=of_payload))
        reads.append(Payload)
    if LIVE in config.iso.modes:
        content.append(make.stage(live.KIND, live.Slice(file=LIVE_FILE), files=(LIVE_FILE,)))
        reads.append(LiveTree)
    if config.iso.repository:
        reads += [LockFile, Verified]
    part = _medium(make, config.iso, medium)
    made = make.stage(iso.KIND, part, files=(part.file,), reads=tuple(reads))
    return (
        *content,
        *medium_stages(make, medium, disk_of(medium, make.seed).placed({}), own),
        made,
        evidence_stage(make, users, (made,)),
    )


def _payload(make: Maker, wanted: Iso, placed: Layout) -> payload.Slice:
    config = make.config
    last = max(placed.partitions, key=lambda entry: entry.start)
    entry = next((entry for entry in config.disk.partitions if entry.id == last.id), None)
    state = state_of(config, placed)
    takes_rest = entry is not None and entry.end is None and (entry.size is None or entry.by_content)
    return payload.Slice(
        image=config.image,
        disk=disk_of(config, make.seed),
        targets=tuple(
            payload.Target(
                id=entry.id,
                type=entry.fs_type,
                at=entry.mount_point if is_mounted(entry) else "",
                boots=is_esp(entry) or entry.type_uuid == BIOS_BOOT,
            )
            for entry in config.disk.partitions
        ),
        grows=last.id if takes_rest else "",
        firmware="bios" if config.system.bootloader.boot_type == "legacy" else "efi",
        choice=wanted.choice,
        state=PayloadState(partition=config.read_only.state, directories=state.directories)
        if config.read_only and state
        else None,
    )


def _medium(make: Maker, wanted: Iso, medium: FinalConfig) -> iso.Slice:
    command_line = medium.system.kernel.cmdline
    offers = [
        iso.Offer(mode=mode, command_line=make.config.system.kernel.cmdline if mode == LIVE else command_line)
        for mode in wanted.modes
    ]
    return iso.Slice(
        file=f"{make.stem}.iso",
        architecture=make.config.target.arch,
        offers=tuple(offers) or (iso.Offer(mode="", command_line=command_line),),
        answers=wanted.answers,
        label=re.sub(r"[^A-Z0-9_]", "_", make.config.image.name.upper())[:_MOST_LABEL],
        marker=uuid_for(make.seed, "medium"),
        disk_uuid=uuid_for(make.seed, "medium's table"),
        volume_id=volume_id_for(make.seed, "medium's ESP"),
        provider=make.config.distribution.provider if wanted.repository else "",
    )
