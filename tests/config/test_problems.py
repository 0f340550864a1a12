# ruff: noqa: E501  messages and templates stand whole, as a user sees them
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .conftest import HEAD

if TYPE_CHECKING:
    from .conftest import Complain, Load

SYSTEM = "systemConfig:\n"
DISK = """disk:
  size: 2GiB
  partitions:
    - {id: esp, type: esp, start: 1MiB, end: 257MiB, fsType: fat32, mountPoint: /boot/efi}
    - {id: root, type: linux-root-amd64, start: 257MiB, end: "0", fsType: ext4, mountPoint: /}
"""
ROOT = '    - {id: root, type: linux-root-amd64, start: 257MiB, end: "0", fsType: ext4, mountPoint: /}\n'


def partition(text: str) -> str:
    """A disk whose root is small and whose third partition is `text`, on line 7."""
    return DISK.replace('end: "0"', "end: 1025MiB") + f"    - {{{text}}}\n"


CASES = {
    # what the schema refuses
    "unknown key": (f"{SYSTEM}  hostnam: x\n", "4: systemConfig.hostnam: expected a known key, found 'hostnam'; did you mean 'hostname'?"),
    "unknown at the top": ("systemconfig: {}\n", "3: systemconfig: expected a known key, found 'systemconfig'; did you mean 'systemConfig'?"),
    "wrong type": (f"{SYSTEM}  packages: curl\n", "4: systemConfig.packages: expected a list of package names, found 'curl'"),
    "nothing": (f"{SYSTEM}  packages:\n", "4: systemConfig.packages: expected a list of package names, found nothing"),
    "truth value": (f"{SYSTEM}  hostname: on\n", "4: systemConfig.hostname: expected a host name: letters, digits and '-', at most 64, found true (a YAML truth value; quote it to mean the word)"),
    "choice": (DISK + "  partitionTableType: gtp\n", "8: disk.partitionTableType: expected one of gpt, mbr, found 'gtp'; did you mean 'gpt'?"),
    "host name": (f"{SYSTEM}  hostname: a_b\n", "4: systemConfig.hostname: expected a host name: letters, digits and '-', at most 64, found 'a_b'"),
    "host name with a newline": (f"{SYSTEM}  hostname: |\n    edge\n", "4: systemConfig.hostname: expected a host name: letters, digits and '-', at most 64, found 'edge\\n'"),
    "user name": (f"{SYSTEM}  users: [{{name: a:b}}]\n", "4: systemConfig.users[0].name: expected a user name: a letter, digit or '_', then at most 31 of these, '-' and '.', found 'a:b'"),
    "user without a name": (f"{SYSTEM}  users:\n    - password: x\n", "5: systemConfig.users[0].name: expected a user name: a letter, digit or '_', then at most 31 of these, '-' and '.', found nothing"),
    "relative shell": (f"{SYSTEM}  users: [{{name: a, shell: bash}}]\n", "4: systemConfig.users[0].shell: expected an absolute path without '..' or ':', found 'bash'"),
    "password of two lines": (f'{SYSTEM}  users: [{{name: a, password: "x\\ny"}}]\n', "4: systemConfig.users[0].password: expected a password on one line, found one with other characters (not shown)"),
    "days": (f"{SYSTEM}  users: [{{name: a, passwordMaxAge: soon}}]\n", "4: systemConfig.users[0].passwordMaxAge: expected a whole number of days, found 'soon'"),
    "ssh key": (f"{SYSTEM}  users: [{{name: a, sshAuthorizedKeys: [hello]}}]\n", "4: systemConfig.users[0].sshAuthorizedKeys[0]: expected an OpenSSH public key such as 'ssh-ed25519 AAAA…', found 'hello'"),
    "relative final": (f"{SYSTEM}  additionalFiles: [{{local: /etc/os-release, final: etc/x}}]\n", "4: systemConfig.additionalFiles[0].final: expected an absolute path of a file without '..', found 'etc/x'"),
    "final above": (f"{SYSTEM}  additionalFiles: [{{local: /etc/os-release, final: /etc/../x}}]\n", "4: systemConfig.additionalFiles[0].final: expected an absolute path of a file without '..', found '/etc/../x'"),
    "final a folder": (f"{SYSTEM}  additionalFiles: [{{local: /etc/os-release, final: /etc/}}]\n", "4: systemConfig.additionalFiles[0].final: expected an absolute path of a file without '..', found '/etc/'"),
    "command": (f'{SYSTEM}  configurations: [{{cmd: " "}}]\n', "4: systemConfig.configurations[0].cmd: expected a shell command, found ' '"),
    "priority": ("packageRepositories: [{codename: a, url: http://x/, pkey: /k, priority: 10000}]\n", "3: packageRepositories[0].priority: expected a whole number from -9999 to 9999, found the number 10000"),
    "size": (DISK.replace("2GiB", "4 gigs"), "4: disk.size: expected a size such as 4GiB, 4096 MiB or 8GB, or auto, found '4 gigs'"),
    # what must differ, agree or come together
    "same user": (f"{SYSTEM}  users:\n    - name: a\n    - name: a\n", "6: systemConfig.users[1].name: expected each user to have its own name, found a here and on line 5"),
    "same file": (f"{SYSTEM}  additionalFiles:\n    - {{local: /etc/os-release, final: /a}}\n    - {{local: /etc/fstab, final: /a}}\n", "6: systemConfig.additionalFiles[1].final: expected each file to have its own final, found /a here and on line 5"),
    "broken hash": (f"{SYSTEM}  users: [{{name: a, password: $6}}]\n", "4: systemConfig.users[0].password: expected plain text or a crypt hash such as $6$salt$hash, found a broken hash (not shown)"),
    "other hash": (f"{SYSTEM}  users: [{{name: a, password: $6$s$h, hash_algo: bcrypt}}]\n", "4: systemConfig.users[0].hash_algo: expected the algorithm of the given hash, sha512, found 'bcrypt'"),
    "on and off": (f"{SYSTEM}  services: {{enable: [ssh], mask: [ssh.service]}}\n", "4: systemConfig.services.enable[0]: expected a unit either in enable or in mask, found 'ssh' in both"),
    "two of three keys": (f"{SYSTEM}  immutability: {{enabled: true, secureBootDBKey: a.key, secureBootDBCrt: a.crt}}\n", "4: systemConfig.immutability: expected all of secureBootDBKey, secureBootDBCrt, secureBootDBCer or none, found no secureBootDBCer"),
    "keys without verity": (f"{SYSTEM}  immutability: {{enabled: false, secureBootDBKey: a.key, secureBootDBCrt: a.crt, secureBootDBCer: a.cer}}\n", "4: systemConfig.immutability.enabled: expected true, as Secure Boot keys are given, found false"),
    "url and path": ("packageRepositories: [{codename: a, url: http://x/, path: /x, pkey: /k}]\n", "3: packageRepositories[0]: expected either url, path, mirrorList or packages, found url and path"),
    "no url": ("packageRepositories: [{codename: a, pkey: /k}]\n", "3: packageRepositories[0]: expected either url, path, mirrorList or packages, found none"),
    "no key": ("packageRepositories: [{codename: a, path: /x}]\n", "3: packageRepositories[0]: expected pkey or pkeys ([trusted=yes] for an unsigned repository), found neither"),
    "two kinds of key": ("packageRepositories: [{codename: a, path: /x, pkey: /k, pkeys: [/k]}]\n", "3: packageRepositories[0]: expected either pkey or pkeys, found both"),
    # disks
    "same partition": (partition("id: root, type: linux, start: 1025MiB, end: 1026MiB"), "8: disk.partitions[2].id: expected each partition to have its own id, found root here and on line 7"),
    "same index": (DISK.replace("{id: esp", "{index: 1, id: esp").replace("{id: root", "{index: 1, id: root"), "7: disk.partitions[1].index: expected each partition to have its own index, found 1 here and on line 6"),
    "same mount point": (partition("id: x, type: linux, start: 1025MiB, end: 1026MiB, fsType: ext4, mountPoint: /boot/efi/"), "8: disk.partitions[2].mountPoint: expected each partition to have its own mountPoint, found /boot/efi here and on line 6"),
    "overlap": (partition("id: x, type: linux, start: 1024MiB, end: 1026MiB"), "8: disk.partitions[2].start: expected a start at or after 1025MiB, where partition 'root' ends, found 1GiB"),
    "after the rest": (DISK + "    - {id: x, type: linux, start: 1024MiB, end: 1026MiB}\n", "8: disk.partitions[2].start: expected a start at or after 2047MiB, where partition 'root' ends, found 1GiB"),
    "two rests": (DISK + '    - {id: x, type: linux, start: 1024MiB, end: "0"}\n', "8: disk.partitions[2].end: expected one partition to take the rest of the disk, found a second beside 'root'"),
    "beyond": (partition("id: x, type: linux, start: 1025MiB, end: 3GiB"), "8: disk.partitions[2].end: expected an end of at most 2047MiB of the disk's 2GiB, found 3GiB (\"0\" is the rest of the disk)"),
    "backwards": (partition("id: x, type: linux, start: 1026MiB, end: 1025MiB"), "8: disk.partitions[2].end: expected an end after the start 1026MiB by at least one MiB, found 1025MiB (both are rounded to whole MiB)"),
    "before the table": (DISK.replace("start: 1MiB", "start: 1KiB"), "6: disk.partitions[0].start: expected a start of at least 17KiB, after the partition table, found 1KiB"),
    "within the first MiB": (DISK.replace("start: 1MiB, end: 257MiB", "start: 64KiB, end: 1MiB"), "6: disk.partitions[0].end: expected an end after the start 1MiB by at least one MiB, found 1MiB (both are rounded to whole MiB)"),
    "flag": (DISK.replace("type: esp,", "type: esp, flags: [esp, nonsense],"), "6: disk.partitions[0].flags: expected flags out of bios_grub, bls_boot, boot, diag, esp, grow, hidden, irst, legacy_boot, lvm, msftdata, msftres, no-auto, prep, raid, read-only, required, swap, found nonsense"),
    "long name": (partition(f"id: x, name: {'😀' * 19}, type: linux, start: 1025MiB, end: 1026MiB"), f"8: disk.partitions[2].name: expected a name of at most 36 UTF-16 characters, found '{'😀' * 19}'"),
    "no room for the rest": (partition("id: x, type: linux, start: 1025MiB, end: 2047MiB").replace("\n    - {id: x", "\n    - {id: y, type: linux, start: 2047MiB, end: '0'}\n    - {id: x"), "8: disk.partitions[2].end: expected room for a partition after 2047MiB, found the end of the disk at 2047MiB"),
    "no sector": (partition("id: x, type: linux, start: 1025MiB, size: 0KiB"), "8: disk.partitions[2].size: expected a size of one sector of 512 bytes or more, found '0KiB'"),
    "rest by size": (DISK.replace("start: 1MiB, end: 257MiB", "start: 1MiB, size: '0'"), "6: disk.partitions[0].size: expected a size such as 4GiB, 4096 MiB or 8GB, or auto, found '0'"),
    "size and end": (partition("id: x, type: linux, start: 1025MiB, end: 1026MiB, size: 1MiB"), "8: disk.partitions[2].size: expected either size or end, found both"),
    "no size": (partition("id: x, type: linux, start: 1025MiB"), "8: disk.partitions[2]: expected end or size, found neither"),
    "no id": (partition("type: linux, start: 1025MiB, end: 1026MiB"), "8: disk.partitions[2].id: expected the partition's id, found nothing"),
    "type": (partition("id: x, type: linux-rot-amd64, start: 1025MiB, end: 1026MiB"), "8: disk.partitions[2].type: expected a partition type, found 'linux-rot-amd64'; did you mean 'linux-root-amd64'?"),
    "short code": (partition("id: x, typeUUID: 83zz, start: 1025MiB, end: 1026MiB"), "8: disk.partitions[2].typeUUID: expected a GPT type GUID or a short code such as 8300, found '83zz'"),
    "unknown short code": (partition("id: x, typeUUID: 83ff, start: 1025MiB, end: 1026MiB"), "8: disk.partitions[2].typeUUID: expected a GPT type GUID or a short code such as 8300, found '83ff'"),
    "label": (partition("id: x, type: linux, fsType: vfat, fsLabel: ABCDEFGHIJKL, start: 1025MiB, end: 1026MiB"), "8: disk.partitions[2].fsLabel: expected a label of at most 11 characters for this file system, found 'ABCDEFGHIJKL'"),
    "label in bytes": (partition("id: x, type: linux, fsType: ext4, fsLabel: ÄÖÜÄÖÜÄÖÜ, start: 1025MiB, end: 1026MiB"), "8: disk.partitions[2].fsLabel: expected a label of at most 16 bytes for this file system, found 'ÄÖÜÄÖÜÄÖÜ'"),
    "label for FAT": (partition("id: x, type: linux, fsType: vfat, fsLabel: 'A:B', start: 1025MiB, end: 1026MiB"), "8: disk.partitions[2].fsLabel: expected a label in ASCII without \"*+,.:;<=>?[\\]| for this file system, found 'A:B'"),
    "no disk size": (DISK.replace("  size: 2GiB\n", "").replace('end: "0"', "end: 1GiB"), "3: disk.size: expected the size of the raw disk, found nothing"),
    "no partitions": ("disk: {size: 2GiB}\n", "3: disk.partitions: expected the partitions of the raw disk, found none"),
    "no root": (DISK.replace("mountPoint: /}", "mountPoint: /srv}"), "5: disk.partitions: expected a partition with the mountPoint /, found none"),
    "no esp": (DISK.replace("type: esp", "type: linux"), "5: disk.partitions: expected a partition of type esp, for bootType efi, found none"),
    # variables, files and locks
    "variable of a pattern": (f"{SYSTEM}  immutability: {{enabled: true, secureBootDBKey: '${{oic_test_unset}}', secureBootDBCrt: /a.crt, secureBootDBCer: /a.cer}}\n", "4: systemConfig.immutability.secureBootDBKey: expected a value for ${oic_test_unset}, found none (give var.oic_test_unset=…, or OIC_VAR_oic_test_unset in the environment; $${oic_test_unset} is left to a shell)"),
    "variable": (f"{SYSTEM}  hostname: ${{oic_test_unset}}\n", "4: systemConfig.hostname: expected a value for ${oic_test_unset}, found none (give var.oic_test_unset=…, or OIC_VAR_oic_test_unset in the environment; $${oic_test_unset} is left to a shell)"),
    "local a pipe": (f"{SYSTEM}  additionalFiles: [{{local: /dev/null, final: /x}}]\n", "4: systemConfig.additionalFiles[0].local: expected a file or directory, found the device, pipe or socket /dev/null"),
    "local below a file": (f"{SYSTEM}  additionalFiles: [{{local: /etc/os-release/x, final: /x}}]\n", "4: systemConfig.additionalFiles[0].local: expected a readable file, found /etc/os-release/x: Not a directory"),
    "odd key": (f'{SYSTEM}  "a\\nb": 1\n', "4: systemConfig.a\\nb: expected a known key, found 'a\\nb'; known are name, description"),
    "lock": ("lock: none.json\n", "3: lock: expected a lock file, found none at none.json; without this line, `doit lock` makes one"),
    "include": ("include: [none.yml]\n", "3: include[0]: expected a part that can be read, found: none.yml: expected a YAML file, found nothing of this name"),
    "circle": ("include: [small.yml]\n", "3: include[0]: expected parts that do not include each other, found a circle: small.yml → small.yml"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_one_line_with_place_expectation_and_finding(name: str, complain: Complain) -> None:
    body, message = CASES[name]
    lines = complain(body)
    wanted = f"small.yml:{message}"
    if "variable" in name:
        assert wanted in lines
    elif name == "odd key":
        assert lines[0].startswith(wanted)
        assert len(lines) == 1
    elif name in {"short code", "no size"}:
        assert lines[0] == wanted
    else:
        assert lines == [wanted]


def test_all_mistakes_come_at_once_in_the_order_of_the_file(complain: Complain) -> None:
    body = f"disc: {{}}\n{SYSTEM}  hostname: -x\n  users:\n    - name: a\n      sudo: maybe\n    - name: a\n  packages: [1, x y]\n"
    assert [line.split(": ")[0] + " " + line.split(": ")[1] for line in complain(body)] == [
        "small.yml:3 disc",
        "small.yml:5 systemConfig.hostname",
        "small.yml:8 systemConfig.users[0].sudo",
        "small.yml:9 systemConfig.users[1].name",
        "small.yml:10 systemConfig.packages[1]",
    ]


TARGETS = {
    "os: debian": ("os: debain", "2: target.os: expected an operating system out of azure-linux, debian, edge-microvisor-toolkit, redhat-compatible-distro, ubuntu, wind-river-elxr, found 'debain'; did you mean 'debian'?"),
    "dist: debian12": ("dist: debian11", "2: target.dist: expected a distribution out of debian12, debian13, found 'debian11'; did you mean 'debian13'?"),
    "arch: x86_64": ("arch: amd64", "2: target.arch: expected one of x86_64, aarch64, armv7hl, found 'amd64'"),
    "imageType: raw": ("imageType: rwa", "2: target.imageType: expected one of raw, iso, img, wsl2, found 'rwa'; did you mean 'raw'?"),
    "arch: x86_64, ": ("", "2: target.arch: expected an architecture, found nothing"),
    "name: small": ("name: -small", "1: image.name: expected letters, digits, '-' and '_', beginning and ending with a letter or digit, found '-small'"),
    "version: 1.0": ("version: v1", "1: image.version: expected a version such as 1.0.0, 24.04 or 1.0.0+build1, of at most 64 letters, found 'v1'"),
    "version": ("versoin", "1: image.version: expected a version such as 1.0.0, 24.04 or 1.0.0+build1, of at most 64 letters, found nothing"),
}  # fmt: skip


@pytest.mark.parametrize("old", TARGETS)
def test_a_mistake_in_image_or_target_is_said_likewise(old: str, complain: Complain) -> None:
    new, message = TARGETS[old]
    assert f"small.yml:{message}" in complain("", head=HEAD.replace(old, new))


def test_image_and_target_are_required(complain: Complain) -> None:
    assert complain("default: true\n", head="") == [
        "small.yml:1: image: expected a mapping of name and version, found nothing",
        "small.yml:1: target: expected a mapping of os, dist, arch and imageType, found nothing",
    ]


def test_a_password_is_never_shown(complain: Complain) -> None:
    text = "\n".join(
        complain(f'{SYSTEM}  users: [{{name: a, password: "sec\\nret"}}, {{name: b, password: $6sesame}}]\n')
    )
    assert "sec" not in text
    assert "sesame" not in text


def test_a_file_name_that_cannot_name_tasks_is_refused(load: Load) -> None:
    with pytest.raises(Exception, match=r"expected a file name of letters, digits.* found 'my recipe.yml'"):
        load("", name="my recipe.yml")
