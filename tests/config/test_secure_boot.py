"""Keys for Secure Boot: what is read of them with the recipe, and what is said of those that cannot sign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from image.host import output
from image.own_keys import OwnKeys, make_keys

from oic.image.signing.keys import PASSPHRASE_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Complain, Load

DISK = """disk:
  size: 2GiB
  partitionTableType: gpt
  partitions:
    - {id: esp, type: esp, fsType: fat32, start: 1MiB, end: 200MiB, mountPoint: /boot/efi}
    - {id: roothashmap, type: linux, start: 200MiB, end: 300MiB, mountPoint: none}
    - {id: root, type: linux-root-amd64, fsType: ext4, start: 300MiB, end: "0", mountPoint: /}
"""


OF_RSA = "secureBootDBCrt: expected the certificate of an RSA key of 2048 to 4096 bits"


def recipe(fields: dict[str, Any], **system: Any) -> str:
    whole = {"systemConfig": {"immutability": {"enabled": True, **fields}, **system}}
    return DISK + yaml.safe_dump(whole)


@pytest.fixture
def keys(tmp_path: Path) -> OwnKeys:
    return make_keys(tmp_path)


def test_of_a_key_only_its_place_is_kept(load: Load, keys: OwnKeys) -> None:
    found = load(recipe(keys.recipe)).secure_boot
    assert found
    assert (found.key, found.elsewhere, found.subject) == (str(keys.key), False, "CN=db of a test")
    assert found.certificate == keys.crt.read_text()
    said = output("openssl", "x509", "-in", keys.crt, "-noout", "-fingerprint", "-sha256")
    assert found.sha256 == said.split("=")[1].strip().replace(":", "").lower()
    secret = keys.key.read_text().splitlines()[5]
    assert secret not in repr(load(recipe(keys.recipe)))


def test_keys_are_found_beside_the_recipe(load: Load, keys: OwnKeys) -> None:
    beside = {name: path.rpartition("/")[2] for name, path in keys.recipe.items()}
    found = load(recipe(beside)).secure_boot
    assert found
    assert found.key == str(keys.key)


def test_placeholders_of_a_public_template_sign_nothing(load: Load) -> None:
    named = {name: f"<SECURE_BOOT_DB_{name[-3:].upper()}_PATH>" for name in ("secureBootDBKey", "secureBootDBCrt")}
    config = load(recipe({**named, "secureBootDBCer": "<CER>"}))
    assert config.secure_boot is None
    said = [note for note in config.notes if "a placeholder" in note]
    assert len(said) == 3
    assert said[0].endswith("secureBootDBKey: a placeholder, <SECURE_BOOT_DB_KEY_PATH>; nothing is signed with it")


@pytest.mark.parametrize(
    ("fields", "system", "said"),
    [
        (
            {},
            {"bootloader": {"bootType": "efi", "provider": "grub"}},
            (
                "bootloader.provider: expected systemd-boot, as a signature covers its whole kernel image and nothing "
                "that GRUB reads, found grub beside Secure Boot keys"
            ),
        ),
        (
            {},
            {"bootloader": {"bootType": "legacy", "provider": "grub"}},
            "bootloader.bootType: expected efi, as Secure Boot is UEFI's and keys are given for it, found legacy",
        ),
        (
            {},
            {"kernel": {"entries": True}},
            (
                "kernel.entries: expected false, as no signature covers kernel, initramfs and command line of boot "
                "loader entries, found true beside Secure Boot keys"
            ),
        ),
        (
            {"signing": "elsewhere"},
            {},
            "immutability.secureBootDBKey: expected no key, as the image is signed elsewhere, found one",
        ),
        ({"enabled": False}, {}, "immutability.enabled: expected true, as Secure Boot keys are given, found false"),
    ],
)
def test_what_does_not_go_with_keys_is_refused(
    fields: dict[str, Any], system: dict[str, Any], said: str, complain: Complain, keys: OwnKeys
) -> None:
    lines = complain(recipe({**keys.recipe, **fields}, **system))
    assert f"systemConfig.{said}" in [line.split(": ", 1)[1] for line in lines]


def test_an_mbr_is_refused(complain: Complain, keys: OwnKeys) -> None:
    lines = complain(recipe(keys.recipe).replace("gpt", "mbr"))
    assert any("disk.partitionTableType: expected gpt" in line for line in lines)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"days": (-9, -1)}, "secureBootDBCrt: expected a certificate that is valid, found one until "),
        ({"days": (2, 9)}, "secureBootDBCrt: expected a certificate that is valid, found one from "),
        (
            {"bits": 1024},
            "secureBootDBCrt: expected the certificate of an RSA key of 2048 to 4096 bits, found RSA of 1024",
        ),
        (
            {"curve": True},
            "secureBootDBCrt: expected the certificate of an RSA key of 2048 to 4096 bits, found another",
        ),
    ],
)
def test_a_certificate_that_firmware_does_not_take_is_refused(
    wrong: dict[str, Any], said: str, complain: Complain, tmp_path: Path
) -> None:
    lines = complain(recipe(make_keys(tmp_path, **wrong).recipe))
    assert any(f"systemConfig.immutability.{said}" in line for line in lines)


def test_files_that_do_not_belong_together_are_refused(complain: Complain, keys: OwnKeys, tmp_path: Path) -> None:
    other = make_keys(tmp_path, "other")
    (line,) = complain(recipe({**keys.recipe, "secureBootDBCer": "other.cer"}))
    assert line.endswith("secureBootDBCer: expected the certificate of secureBootDBCrt as DER, found another one")
    (line,) = complain(recipe({**keys.recipe, "secureBootDBKey": "other.key"}))
    wanted = "secureBootDBKey: expected the private key of the certificate in secureBootDBCrt, found another key"
    assert line.endswith(f"{wanted}: other.key")
    other.key.write_text("no key\n")
    (line,) = complain(recipe({**keys.recipe, "secureBootDBKey": "other.key"}))
    assert line.endswith("secureBootDBKey: expected a private key as PEM, found something else in other.key")


def test_a_key_that_is_not_on_this_machine_is_said_by_a_build(load: Load, keys: OwnKeys) -> None:
    """The recipe is valid: it can be checked where the key is not."""
    keys.key.unlink()
    config = load(recipe(keys.recipe))
    assert config.secure_boot is None
    assert f"secureBootDBKey: expected a private key, found no file {keys.key}" in config.unbuilt[-1]


def test_an_encrypted_key_is_opened_with_its_pass_phrase(
    load: Load, complain: Complain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = make_keys(tmp_path, passphrase=b"four words of it")
    monkeypatch.delenv(PASSPHRASE_FILE, raising=False)
    missing = load(recipe(keys.recipe)).unbuilt[-1]
    assert f"expected the name of a file with the pass phrase in {PASSPHRASE_FILE}, found nothing" in missing
    (tmp_path / "phrase").write_text("other words")
    monkeypatch.setenv(PASSPHRASE_FILE, str(tmp_path / "phrase"))
    (line,) = complain(recipe(keys.recipe))
    assert line.endswith(f"expected the pass phrase of db.key in the file that {PASSPHRASE_FILE} names, found another")
    (tmp_path / "phrase").write_text("four words of it\n")
    assert load(recipe(keys.recipe)).secure_boot


def test_a_key_that_others_can_read_is_noted(load: Load, keys: OwnKeys) -> None:
    said = "other users of this machine can read the private key"
    assert not [note for note in load(recipe(keys.recipe)).notes if said in note]
    keys.key.chmod(0o644)
    (note,) = [note for note in load(recipe(keys.recipe)).notes if said in note]
    assert note.endswith(f"{said} {keys.key} (mode 0644)")


def test_a_token_is_not_asked_when_the_recipe_is_read(load: Load, complain: Complain, keys: OwnKeys) -> None:
    uri = f"pkcs11:token=release;object=db?module-path={keys.crt}"
    found = load(recipe({**keys.recipe, "secureBootDBKey": uri})).secure_boot
    assert found
    assert found.key == uri
    gone = "pkcs11:token=release;object=db?module-path=/nowhere.so"
    (said,) = [line for line in load(recipe({**keys.recipe, "secureBootDBKey": gone})).unbuilt if "PKCS" in line]
    assert said.endswith("expected the PKCS #11 module of the URI, found no file /nowhere.so")
    (line,) = complain(recipe({**keys.recipe, "secureBootDBKey": "pkcs11:object=db;pin-value=1234"}))
    assert "expected a PKCS #11 URI without a PIN, found pin-value" in line
    assert "1234" not in line


@pytest.mark.parametrize(
    "named", [(), ("secureBootDBCrt",), ("secureBootDBCer",), ("secureBootDBCrt", "secureBootDBCer")]
)
def test_signed_elsewhere_the_certificates_may_be_left_out(named: tuple[str, ...], load: Load, keys: OwnKeys) -> None:
    fields = {name: keys.recipe[name] for name in named}
    found = load(recipe({**fields, "signing": "elsewhere"})).secure_boot
    assert found
    assert (found.key, found.elsewhere) == ("", True)
    assert found.certificate == (keys.crt.read_text() if named else "")
