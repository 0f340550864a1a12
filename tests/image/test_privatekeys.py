"""Keys made by the programs that make them, and what only looks like one."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

import pytest

from oic.image.tree.privatekeys import private_key_in

_P256 = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"
OPENSSL = {
    "genpkey -algorithm RSA -out {}": "PEM, PKCS #8",
    "genpkey -algorithm ED25519 -out {}": "PEM, PKCS #8",
    f"{_P256} -outform DER -out {{}}": "SEC 1",
    "genpkey -algorithm ED25519 -outform DER -out {}": "PKCS #8",
    "genpkey -algorithm RSA -aes256 -pass pass:x -out {}": "PEM, PKCS #8, encrypted",
    "genrsa -traditional -out {}": "PEM, PKCS #1",
    "genrsa -traditional -aes128 -passout pass:x -out {}": "PEM, RSA, encrypted",
    "ecparam -name prime256v1 -genkey -out {}": "PEM, SEC 1",
    "req -new -newkey rsa:2048 -nodes -x509 -subj /CN=a -keyout {} -out /dev/null": "PEM, PKCS #8",
}
"""openssl's commands that make a key, and what it is."""


@pytest.mark.parametrize("command", OPENSSL)
def test_a_key_of_openssl_is_known_alone_and_among_other_text(command: str, tmp_path: Path) -> None:
    file = tmp_path / "a"
    subprocess.run(["openssl", *command.format(file).split()], check=True, capture_output=True)
    assert private_key_in(file.read_bytes()) == OPENSSL[command]
    among = private_key_in(b"a line before it\n" + file.read_bytes())
    assert among == (OPENSSL[command] if OPENSSL[command].startswith("PEM") else "")


@pytest.mark.parametrize("options", [["-t", "ed25519", "-N", ""], ["-t", "rsa", "-N", "secret"]])
def test_a_key_of_ssh_keygen_is_known_and_its_public_half_is_none(options: list[str], tmp_path: Path) -> None:
    file = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", *options, "-f", str(file)], check=True)
    assert private_key_in(file.read_bytes()) == "OpenSSH"
    assert private_key_in(file.with_suffix(".pub").read_bytes()) == ""


def test_a_key_of_gnupg_is_known(tmp_path: Path) -> None:
    home = tmp_path / "g"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", ""]
    try:
        subprocess.run([*gpg, "--quick-gen-key", "a@example.org", "ed25519"], check=True, capture_output=True)
        armoured = subprocess.run([*gpg, "--armor", "--export-secret-keys"], check=True, capture_output=True).stdout
        public = subprocess.run([*gpg, "--armor", "--export"], check=True, capture_output=True).stdout
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=False, capture_output=True)
    assert private_key_in(armoured) == "OpenPGP"
    assert private_key_in(public) == ""
    (kept,) = (home / "private-keys-v1.d").iterdir()
    assert private_key_in(kept.read_bytes()) == "GnuPG"


def test_certificates_requests_parameters_and_public_keys_are_none(tmp_path: Path) -> None:
    key = tmp_path / "key"
    for command in (
        f"req -new -newkey rsa:2048 -nodes -x509 -subj /CN=a -keyout {key} -out {tmp_path}/a.crt",
        f"x509 -in {tmp_path}/a.crt -outform DER -out {tmp_path}/a.der",
        f"req -new -key {key} -subj /CN=a -out {tmp_path}/a.csr",
        f"pkey -in {key} -pubout -out {tmp_path}/a.pub",
        f"pkey -in {key} -pubout -outform DER -out {tmp_path}/a.pub.der",
        f"ecparam -name prime256v1 -out {tmp_path}/a.param",
        f"sha256 -sign {key} -out {tmp_path}/a.sig {key}",
    ):
        subprocess.run(["openssl", *command.split()], check=True, capture_output=True)
    found = {file.name: private_key_in(file.read_bytes()) for file in tmp_path.iterdir()}
    assert found.pop("key") == "PEM, PKCS #8"
    assert set(found.values()) == {""}
    assert len(found) == 7


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg...\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN RSA PRIVATE KEY-----\nyour key here\n-----END RSA PRIVATE KEY-----\n",
        b"PrivateKey = <paste yours>\n",
        b"PrivateKey=SRK_PUB\n",
        b"-----BEGIN PRIVATE KEY-----\n" + base64.b64encode(bytes(600)) + b"\n-----END PRIVATE KEY-----\n",
        b"0\x82",
        b"0\x84\xff\xff\xff\xff\x02\x01\x00",
        b"0\x00",
    ],
)
def test_what_only_looks_like_a_key_is_none(text: bytes) -> None:
    assert private_key_in(text) == ""


def test_no_random_bytes_are_a_key_or_more_than_can_be_read() -> None:
    for _ in range(2000):
        assert private_key_in(b"0" + os.urandom(40)) == ""


def test_a_key_of_wireguard_is_known() -> None:
    key = base64.b64encode(bytes(range(32))).decode()
    assert private_key_in(f"[Interface]\nPrivateKey = {key}\n".encode()) == "WireGuard"
    assert private_key_in(f"[Peer]\nPublicKey = {key}\n".encode()) == ""


def test_no_program_of_this_host_is_taken_for_a_key() -> None:
    """A library of cryptography has the labels in it, and no key between them."""
    files = [
        *Path("/usr/lib/x86_64-linux-gnu").glob("libcrypto.so*"),
        Path("/usr/bin/ssh-keygen"),
        Path("/usr/bin/gpg"),
    ]
    assert [file for file in files if private_key_in(file.read_bytes())] == []
