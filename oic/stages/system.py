"""system: the recipe's configuration as a layer over the packages: settings, users, files, commands, units.

::

    settings, sources ─> users ─> files ─> commands ─> units ─> remove traces of this machine

There are four hand-overs: ``system.json`` names the whole tree; ``initrd-inputs.json``, ``boot-inputs.json`` and
``private-keys.json`` (for the manifest) hold only what later stages read of it, which run only if that has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.handover.tree import BootInputs, ConfiguredTree, InitramfsInputs, InstalledTree, PrivateKeys
from oic.stage import Kind
from oic.values import Value

if TYPE_CHECKING:
    from oic.config.model import Command, Network, Services, User
    from oic.image.tree.additional import PlacedFile
    from oic.image.tree.grow import Growth
    from oic.image.tree.settings import Mount
    from oic.provider.told import ToldRepository


class Slice(Value):
    """The configuration of the installed tree.

    `package_sources` maps the distribution's repositories to their key files in the image; `told` are those of the
    recipe that the image is to know. `esp` is the mount point of the EFI system partition, or empty.
    """

    provider: str
    hostname: str
    network: Network
    users: tuple[User, ...]
    files: tuple[PlacedFile, ...]
    commands: tuple[Command, ...]
    services: Services
    timezone: str
    locale: str
    keymap: str
    package_sources: dict[str, str]
    told: tuple[ToldRepository, ...]
    mounts: tuple[Mount, ...]
    esp: str
    growth: Growth | None
    has_kernel: bool
    has_initramfs: bool


KIND: Kind[Slice] = Kind(
    name="system",
    version=13,
    doc="hostname, users, files, commands, units",
    reads=(InstalledTree,),
    writes=(ConfiguredTree, InitramfsInputs, BootInputs, PrivateKeys),
)
