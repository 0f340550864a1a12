from __future__ import annotations

from typing import TYPE_CHECKING

from installer.machine import make_machine
from oic.installer import door
from oic.installer.boot_entry import old_entries, set_boot_entry
from oic.installer.index import parse_payload

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from installer.medium import Medium

UUID = "C19D7B2A-0F5E-4B0C-9B1B-6B7A7C1A0001"
OUTPUT = f"""\
BootCurrent: 0002
Timeout: 0 seconds
BootOrder: 0004,0002,0000,0001
Boot0000* UiApp\tFvVol(7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1)/FvFile(462caa21-7614-4503-836e-8ab6f4662331)
Boot0002* UEFI QEMU DVD-ROM QM00003 \tPciRoot(0x0)/Pci(0x1f,0x2)/Sata(1,65535,0)N.....YM....R,Y.
Boot0004* edge\tHD(1,GPT,{UUID.lower()},0x800,0x100000)/File(\\EFI\\BOOT\\BOOTX64.EFI)
Boot0005  edge\tHD(1,GPT,{UUID.lower()},0x800,0x100000)/File(\\EFI\\BOOT\\BOOTX64.EFI)
Boot0006* edge\tHD(1,GPT,aaaaaaaa-0f5e-4b0c-9b1b-6b7a7c1a0001,0x800,0x100000)/File(\\EFI\\BOOT\\BOOTX64.EFI)
Boot0007* edge of the world\tHD(1,GPT,{UUID.lower()},0x800,0x100000)/File(\\x.efi)
Boot001A* edge HD(1,GPT,{UUID.lower()},0x800,0x100000)/\\EFI\\BOOT\\BOOTX64.EFI
MirroredPercentageAbove4G: 0.00
"""
"""As versions 17 and 18 of efibootmgr print it."""


def test_entries_of_an_earlier_installation_are_those_of_the_name_and_the_partition() -> None:
    assert old_entries(OUTPUT, "edge", UUID) == ["0004", "0005", "001A"]
    assert old_entries(OUTPUT, "other", UUID) == []
    assert old_entries(OUTPUT, "edge", "") == []


def test_without_variables_the_disk_boots_without_an_entry(efi_medium: Medium, tmp_path: Path) -> None:
    payload = parse_payload((efi_medium.path / "oic/payload.json").read_bytes())
    machine = make_machine(tmp_path, [])
    wanted = "The firmware's variables cannot be written"
    assert wanted in set_boot_entry(machine, "/dev/sda", payload, {})
    (machine.sys / "firmware/efi/efivars").mkdir(parents=True)
    assert wanted in set_boot_entry(machine, "/dev/sda", payload, {})


def test_a_bios_has_no_entries(bios_medium: Medium, tmp_path: Path) -> None:
    payload = parse_payload((bios_medium.path / "oic/payload.json").read_bytes())
    assert set_boot_entry(make_machine(tmp_path, []), "/dev/sda", payload, {}) == ""


def test_a_firmware_that_takes_no_entry_ends_nothing(
    efi_medium: Medium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on this machine, which has no variables, or no efibootmgr."""
    payload = parse_payload((efi_medium.path / "oic/payload.json").read_bytes())
    machine = make_machine(tmp_path, [])
    (machine.sys / "firmware/efi/efivars").mkdir(parents=True)
    (machine.sys / "firmware/efi/efivars/Boot0000-8be4df61").touch()
    monkeypatch.setitem(door._ENVIRONMENT, "PATH", str(tmp_path))
    said = set_boot_entry(machine, "/dev/sda", payload, {1: UUID})
    assert "The firmware takes no boot entry, and boots the disk as a removable one: expected the program" in said
