"""OpenPGP keys made for a test, and packages signed by them: by rpmsign, and in ways rpmsign does not know."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(kw_only=True)
class Key:
    """A key in a keyring of its own."""

    home: Path
    fingerprint: str = ""

    def gpg(self, *words: str, data: bytes = b"") -> bytes:
        argv = ["gpg", "--homedir", str(self.home), "--batch", "--yes", "--pinentry-mode", "loopback"]
        done = subprocess.run([*argv, "--passphrase", "", *words], input=data, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def make(self, algorithm: str = "rsa2048", *words: str, expire: str = "0") -> Key:
        self.home.mkdir(mode=0o700)
        name = f"{self.home.name} <{self.home.name}@example.org>"
        self.gpg(*words, "--quick-gen-key", name, algorithm, "sign", expire)
        listed = self.gpg("--list-keys", "--with-colons").decode()
        self.fingerprint = next(line for line in listed.splitlines() if line.startswith("fpr:")).split(":")[9]
        return self

    def revoke(self) -> Key:
        """Revoke the key by the certificate that gpg makes beside each."""
        made = (self.home / "openpgp-revocs.d" / f"{self.fingerprint}.rev").read_text()
        self.gpg("--import", data=made.replace(":-----BEGIN", "-----BEGIN").encode())
        return self

    def end(self, until: str, *, on: str, subkeys: bool = False) -> Key:
        """Say on a day, by a faked clock, that the key (or its subkeys alone) expires on another."""
        words = ["--quick-set-expire", self.fingerprint, until, *(["*"] if subkeys else [])]
        self.gpg(f"--faked-system-time={on}", *words)
        return self

    def close(self) -> None:
        """End its agent."""
        argv = ["gpgconf", "--homedir", str(self.home), "--kill", "gpg-agent"]
        subprocess.run(argv, check=False, capture_output=True)

    def public(self) -> bytes:
        return self.gpg("--armor", "--export", self.fingerprint)

    def detached(self, data: bytes, *words: str) -> bytes:
        return self.gpg(*words, "--local-user", self.fingerprint, "--detach-sign", "--output", "-", data=data)

    def sign(self, file: Path, *words: str, faked_time: str = "") -> Path:
        """Sign a package by rpmsign; return it."""
        extra = f"--faked-system-time={faked_time}" if faked_time else ""
        defines = {
            "__gpg": shutil.which("gpg") or "gpg",
            "_gpg_name": self.fingerprint,
            "_gpg_path": str(self.home),
            "_gpg_sign_cmd_extra_args": f"--pinentry-mode loopback --passphrase '' {extra}",
        }
        argv = ["rpmsign", "--addsign", *words]
        for name, value in defines.items():
            argv += ["--define", f"{name} {value}"]
        done = subprocess.run([*argv, str(file)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return file


def version_3(key: Key, data: bytes) -> bytes:
    """Return a signature of version 3, RFC 4880 section 5.2.2, which gpg no longer makes: RSA and sha256."""
    fields = _rsa_secret(key)
    hashed = b"\0" + int(time.time()).to_bytes(4, "big")  # before its key was made it would not count
    digest = hashlib.sha256(data + hashed).digest()
    modulus, _, exponent = fields
    size = (modulus.bit_length() + 7) // 8
    encoded = bytes.fromhex("3031300d060960864801650304020105000420") + digest  # PKCS #1 v1.5, RFC 8017 section 9.2
    padded = b"\0\1" + b"\xff" * (size - len(encoded) - 3) + b"\0" + encoded
    number = pow(int.from_bytes(padded, "big"), exponent, modulus)
    body = b"\3\5" + hashed + bytes.fromhex(key.fingerprint[-16:]) + b"\1\10" + digest[:2]
    body += number.bit_length().to_bytes(2, "big") + number.to_bytes((number.bit_length() + 7) // 8, "big")
    return b"\x89" + len(body).to_bytes(2, "big") + body


def _rsa_secret(key: Key) -> tuple[int, int, int]:
    """Return modulus, public and private exponent of an RSA key without a passphrase, section 5.5.3."""
    packet = key.gpg("--export-secret-keys", key.fingerprint)
    assert packet[0] == 0x95  # a secret key, its length in two bytes
    at, numbers = 3 + 6, []
    for position in range(3):
        bits = int.from_bytes(packet[at : at + 2], "big")
        size = (bits + 7) // 8
        numbers.append(int.from_bytes(packet[at + 2 : at + 2 + size], "big"))
        at += 2 + size
        if position == 1:
            assert packet[at] == 0  # not encrypted
            at += 1
    return numbers[0], numbers[1], numbers[2]
