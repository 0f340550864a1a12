"""What every machine makes of its own at its first boot: removed from the image, and a unit in its place."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oic.chroot import namespace
from oic.image.tree import firstboot
from oic.image.tree.privatekeys import private_key_in
from oic.process import child
from oic.provider import FAMILIES, provider_of
from oic.provider.deb.firstboot import FIRST_BOOT as DEB
from oic.provider.rpm.firstboot import FIRST_BOOT as RPM

if TYPE_CHECKING:
    from oic.provider.firstboot import FirstBoot

PROJECT = Path(__file__).parents[2]
ALL = {entry.name: entry for entry in (*DEB, *RPM)}
WANTS = "etc/systemd/system/multi-user.target.wants"


def _tree(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x\n")
    return root


def _write_units(root: Path, *entries: FirstBoot) -> list[str]:
    namespace.call(child.inside, root, firstboot.write_units, entries, writes=[root])
    return sorted(path.name for path in (root / WANTS).glob("*"))


def _remove(root: Path, *entries: FirstBoot, kept: tuple[str, ...] = ()) -> None:
    namespace.call(child.inside, root, firstboot.remove, entries, kept, writes=[root])


@pytest.mark.parametrize(
    ("unit", "ours"),
    [
        ("sshd.service", True),
        ("sshd-keygen.service", False),
        ("sshd-keygen@.service", False),  # an instance for each kind of key: Enterprise Linux
        ("ssh-keygen.service", False),
    ],
)
def test_host_keys_are_made_by_one_unit_the_distributions_if_it_has_one(unit: str, ours: bool, tmp_path: Path) -> None:  # noqa: FBT001
    _tree(tmp_path, "usr/bin/ssh-keygen", "usr/sbin/sshd", f"usr/lib/systemd/system/{unit}", "etc/ssh/ssh_host_rsa_key")
    assert _write_units(tmp_path, *DEB) == (["ssh-host-keys.service"] if ours else [])
    _remove(tmp_path, *DEB)
    assert not (tmp_path / "etc/ssh/ssh_host_rsa_key").exists()


def test_a_unit_of_the_package_that_never_runs_in_these_images_does_not_count(tmp_path: Path) -> None:
    """Debian 13's: to systemd, an empty machine-id is no first boot."""
    unit = "usr/lib/systemd/system/sshd-keygen.service"
    _tree(tmp_path, "usr/bin/ssh-keygen", "usr/sbin/sshd", unit)
    (tmp_path / unit).write_text("[Unit]\nConditionFirstBoot=yes\n\n[Service]\nExecStart=ssh-keygen -A\n")
    assert _write_units(tmp_path, *DEB) == ["ssh-host-keys.service"]


@pytest.mark.parametrize("entry", ALL.values(), ids=list(ALL))
def test_files_go_only_where_the_programs_that_make_them_anew_are_there(entry: FirstBoot, tmp_path: Path) -> None:
    files = [pattern.replace("*", "rsa") for pattern in entry.files]
    for missing in entry.programs:
        root = _tree(tmp_path / missing.replace("/", "-"), *files, *(set(entry.programs) - {missing}))
        _remove(root, entry)
        assert _write_units(root, entry) == []
        assert all((root / file).exists() for file in files)
    root = _tree(tmp_path / "whole", *files, *entry.programs)
    _remove(root, entry, kept=(f"/{files[0]}",))
    assert [file for file in files if (root / file).exists()] == [files[0]]
    _remove(root, entry)
    assert [file for file in files if (root / file).exists()] == []
    assert _write_units(root, entry) == _write_units(root, entry) == [f"{entry.name}.service"]


@pytest.mark.parametrize("entry", ALL.values(), ids=list(ALL))
def test_each_unit_is_one_that_systemd_accepts(entry: FirstBoot, tmp_path: Path) -> None:
    unit = tmp_path / f"{entry.name}.service"
    unit.write_text(
        re.sub("^ExecStart=/usr/[^ \n]+", "ExecStart=/bin/sh", firstboot.unit_of(entry), flags=re.MULTILINE)
    )
    said = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert unit.name not in said.stderr


def test_the_commands_make_what_is_missing_with_real_programs_and_nothing_else(tmp_path: Path) -> None:
    """As systemd would run them, with the paths below a directory of the test's and the owner that is there."""
    (tmp_path / "etc/pki/tls/private").mkdir(parents=True)
    (tmp_path / "etc/pki/tls/certs").mkdir()
    key, certificate = (tmp_path / file for file in ALL["postfix-key"].files)
    _run(ALL["postfix-key"], tmp_path)
    assert private_key_in(key.read_bytes()) == "PEM, PKCS #8"
    public = ["openssl", "x509", "-in", str(certificate), "-noout", "-pubkey"]
    of_key = ["openssl", "pkey", "-in", str(key), "-pubout"]
    both = [subprocess.run(argv, capture_output=True, check=True).stdout for argv in (public, of_key)]
    assert both[0] == both[1]
    assert (key.stat().st_mode & 0o777, certificate.stat().st_mode & 0o777) == (0o600, 0o644)
    before = key.read_bytes()
    certificate.unlink()
    _run(ALL["postfix-key"], tmp_path)
    assert key.read_bytes() == before
    assert certificate.exists()
    _run(ALL["ident-key"], tmp_path)
    first, second = (tmp_path / "etc/ident.key").read_text().splitlines()
    assert (len(first), second) == (44, "CHANGE THE LINE ABOVE TO A PASSPHRASE")


def _run(entry: FirstBoot, root: Path) -> None:
    for command in entry.commands:
        words = re.fullmatch("/bin/sh -c '([^']+)'", command)
        assert words is not None
        own = re.sub(r"(?<![\w.])/etc/", f"{root}/etc/", words[1]).replace("%H", "here").replace("ident:ident", "0:0")
        subprocess.run(["sh", "-c", f"umask 077; {own}"], check=True, capture_output=True)


def test_the_page_on_it_names_every_unit_and_every_file() -> None:
    page = (PROJECT / "docs/reproducible.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.*)$", page, re.MULTILINE))
    assert rows.keys() == ALL.keys()
    assert all(f"`/{entry.files[0].removesuffix('_key')}`" in rows[name] for name, entry in ALL.items())


@pytest.mark.parametrize("family", FAMILIES)
def test_no_unit_of_a_family_has_the_name_of_another(family: str) -> None:
    names = [entry.name for entry in provider_of(family).first_boot()]
    assert len(names) == len({*names}) >= 3
