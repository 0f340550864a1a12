"""What a machine's architecture is called, by everyone who has a word of his own for it."""

from __future__ import annotations

from oic.values import Value


class Architecture(Value):
    """A kind of machine: the recipe's word for it, UEFI's in file names, GRUB's for its UEFI, and qemu's program."""

    name: str
    efi: str
    grub: str
    qemu: str


X86_64 = Architecture(name="x86_64", efi="x64", grub="x86_64-efi", qemu="qemu-system-x86_64")
ARCHITECTURES = {one.name: one for one in (X86_64,)}
"""Those that images can be built for, by the recipe's word."""
