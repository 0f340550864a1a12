"""iso: a medium that boots an initramfs, with what that installs or runs."""

from __future__ import annotations

from oic.handover.disk import Medium, MediumSystem
from oic.handover.tree import BootInputs, BuildEnvironment
from oic.stage import Kind
from oic.values import Value


class Offer(Value):
    """An entry of the menu."""

    mode: str
    command_line: str


class Slice(Value):
    """What the medium offers, the text of its answers, its label and its identifiers.

    `provider` is the family of the packages, where the medium carries them.
    """

    file: str
    architecture: str
    offers: tuple[Offer, ...]
    answers: str
    label: str
    marker: str
    disk_uuid: str
    volume_id: int
    provider: str


KIND: Kind[Slice] = Kind(
    name="iso",
    version=2,
    doc="make the ISO",
    reads=(MediumSystem, BootInputs, BuildEnvironment),
    writes=(Medium,),
)
