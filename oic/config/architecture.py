"""What a machine's architecture is called, by everyone who has a word of his own for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A kind of machine: its words for a recipe, firmware, rpm and qemu; and the type of its root partition."""

    name: str
    efi: str
    rpm: str
    qemu: str
    root_type: str


ARCHITECTURES = {
    one.name: one
    for one in (
        Architecture(name="x86_64", efi="x64", rpm="x86_64", qemu="qemu-system-x86_64", root_type="linux-root-amd64"),
        Architecture(
            name="aarch64", efi="aa64", rpm="aarch64", qemu="qemu-system-aarch64", root_type="linux-root-arm64"
        ),
    )
}
"""By a recipe's word."""
