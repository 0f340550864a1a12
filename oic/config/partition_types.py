"""Partition type names and short codes → GPT type GUIDs.

GUIDs: UAPI group's discoverable partitions specification, section "Defined Partition Type UUIDs"
(https://uapi-group.org/specifications/specs/discoverable_partitions_specification/), and UEFI specification 2.10,
table 5.7. Short codes are those of gdisk (``sgdisk --list-types``).
"""

from __future__ import annotations

import re

_NAMES = {
    "esp": "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
    "xbootldr": "bc13c2ff-59e6-4262-a352-b275fd6f7172",
    "bios": "21686148-6449-6e6f-744e-656564454649",
    "bios-boot": "21686148-6449-6e6f-744e-656564454649",
    "microsoft-basic-data": "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7",
    "linux": "0fc63daf-8483-4772-8e79-3d69d8477de4",
    "linux-swap": "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f",
    "linux-home": "933ac7e1-2eb4-4f13-b844-0e14e2aef915",
    "linux-srv": "3b8f8425-20e0-4f3b-907f-1a25a76f98e8",
    "linux-var": "4d21b016-b534-45c2-a9fb-5c16e091fd2d",
    "linux-tmp": "7ec6f557-3bc5-4aca-b293-16ef5df639d1",
    "linux-lvm": "e6d6d379-f507-44c2-a23c-238f2a3df928",
    "linux-raid": "a19d880f-05fc-4d3b-a006-743f0f84911e",
    "linux-luks": "ca7d7ccb-63ed-4c53-861c-1742536059cc",
    "linux-dm-crypt": "7ffec5c9-2d00-49b7-8941-3ea10a5586b7",
    "linux-root-amd64": "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
    "linux-root-amd64-verity": "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5",
    "linux-root-amd64-verity-sig": "41092b05-9fc8-4523-994f-2def0408b176",
    "linux-root-arm64": "b921b045-1df0-41c3-af44-4c6f280d3fae",
    "linux-root-arm64-verity": "df3300ce-d69f-4c92-978c-9bfb0f38d820",
    "linux-root-arm64-verity-sig": "6db69de6-29f4-4758-a7a5-962190f00ce3",
    "linux-root-x86": "44479540-f297-41b2-9af7-d131d5f0458a",
    "linux-root-arm": "69dad710-2ce4-4e3c-b16c-21a1d49abed3",
    "linux-usr-amd64": "8484680c-9521-48c6-9c11-b0720656f69e",
    "linux-usr-amd64-verity": "77ff5f63-e7b6-4633-acf4-1565b864c0e6",
    "linux-usr-amd64-verity-sig": "e7bb33fb-06cf-4e81-8273-e543b413e2e2",
    "linux-usr-arm64": "b0e01050-ee5f-4390-949a-9101b17104e9",
    "linux-usr-arm64-verity": "6e11a4e7-fbca-4ded-b9e9-e1a512bb664e",
    "linux-usr-arm64-verity-sig": "c23ce4ff-44bd-4b00-b2d4-b41b3419e02a",
}

_CODES = {
    "0700": "microsoft-basic-data",
    "8200": "linux-swap",
    "8300": "linux",
    "8302": "linux-home",
    "8303": "linux-root-x86",
    "8304": "linux-root-amd64",
    "8305": "linux-root-arm64",
    "8306": "linux-srv",
    "8307": "linux-root-arm",
    "8308": "linux-dm-crypt",
    "8309": "linux-luks",
    "830c": "linux-root-amd64-verity",
    "830e": "linux-root-arm64-verity",
    "8310": "linux-var",
    "8311": "linux-tmp",
    "8314": "linux-usr-amd64",
    "8316": "linux-usr-arm64",
    "8319": "linux-usr-amd64-verity",
    "831b": "linux-usr-arm64-verity",
    "8e00": "linux-lvm",
    "ea00": "xbootldr",
    "ef00": "esp",
    "ef02": "bios",
    "fd00": "linux-raid",
}

_MBR = {
    "esp": "ef",
    "xbootldr": "ea",
    "linux-swap": "82",
    "linux-lvm": "8e",
    "linux-raid": "fd",
    "linux-luks": "e8",
    "microsoft-basic-data": "07",
}
_MBR_FAT = {"fat32": "0c", "fat16": "0e", "fat12": "01"}

_GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def type_guid(word: str) -> str | None:
    """Return the lower-case GUID that a name, short code or GUID stands for; None for an unknown word."""
    lowered = word.lower()
    if re.fullmatch(_GUID, lowered):
        return lowered
    return _NAMES.get(_CODES.get(lowered, lowered))


def type_name(guid: str) -> str:
    """Return the first name of a type, or the GUID itself."""
    return next((name for name, known in _NAMES.items() if known == guid.lower()), guid)


def mbr_type(guid: str, fs_type: str) -> str:
    """Return the two hexadecimal digits by which an MBR has a type, or nothing; `fs_type` is a recipe's file system.

    The numbers are those of sfdisk (``sfdisk --label dos --list-types``); xbootldr's is the Boot Loader
    Specification's.
    """
    name = type_name(guid)
    if name in {"linux", "microsoft-basic-data"} and fs_type in _MBR_FAT:
        return _MBR_FAT[fs_type]
    return _MBR.get(name, "83" if name.startswith("linux") else "")


def type_names() -> tuple[str, ...]:
    """Return the names there are, for messages."""
    return tuple(_NAMES)
