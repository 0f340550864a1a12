from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from oic.config import partition_types
from oic.config.partition_types import type_guid, type_names


def test_names_codes_and_guids_are_understood_in_either_case() -> None:
    esp = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
    assert {type_guid(word) for word in ("esp", "ef00", "EF00", esp, esp.upper())} == {esp}
    assert type_guid("linux-root-amd64") == type_guid("8304") == "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
    assert type_guid("83ff") is type_guid("") is type_guid(esp[:-1]) is None


def test_every_short_code_leads_to_a_guid() -> None:
    assert all(type_guid(code) for code in partition_types._CODES)


# What sfdisk calls the types: an independent list of the same GUIDs.
SFDISK_NAMES = {
    "esp": "EFI System",
    "xbootldr": "Linux extended boot",
    "bios": "BIOS boot",
    "microsoft-basic-data": "Microsoft basic data",
    "linux": "Linux filesystem",
    "linux-swap": "Linux swap",
    "linux-home": "Linux home",
    "linux-srv": "Linux server data",
    "linux-var": "Linux variable data",
    "linux-tmp": "Linux temporary data",
    "linux-lvm": "Linux LVM",
    "linux-raid": "Linux RAID",
    "linux-root-amd64": "Linux root (x86-64)",
    "linux-root-amd64-verity": "Linux root verity (x86-64)",
    "linux-root-amd64-verity-sig": "Linux root verity sign. (x86-64)",
    "linux-root-arm64": "Linux root (ARM-64)",
    "linux-root-arm64-verity": "Linux root verity (ARM-64)",
    "linux-root-arm64-verity-sig": "Linux root verity sign. (ARM-64)",
    "linux-root-x86": "Linux root (x86)",
    "linux-root-arm": "Linux root (ARM)",
    "linux-usr-amd64": "Linux /usr (x86-64)",
    "linux-usr-amd64-verity": "Linux /usr verity (x86-64)",
    "linux-usr-amd64-verity-sig": "Linux /usr verity sign. (x86-64)",
    "linux-usr-arm64": "Linux /usr (ARM-64)",
    "linux-usr-arm64-verity": "Linux /usr verity (ARM-64)",
    "linux-usr-arm64-verity-sig": "Linux /usr verity sign. (ARM-64)",
}


@pytest.mark.skipif(shutil.which("sfdisk") is None, reason="needs sfdisk (package fdisk)")
def test_the_guids_are_those_that_sfdisk_knows() -> None:
    text = subprocess.run(
        ["sfdisk", "--label", "gpt", "--list-types"], check=True, capture_output=True, text=True
    ).stdout
    listed = {name.strip(): guid.lower() for guid, name in re.findall(r"^([0-9A-F-]{36})\s+(.+)$", text, re.MULTILINE)}
    assert {name: type_guid(name) for name in SFDISK_NAMES} == {
        name: listed[word] for name, word in SFDISK_NAMES.items()
    }
    assert set(type_names()) - set(SFDISK_NAMES) == {"bios-boot", "linux-luks", "linux-dm-crypt"}
