"""OpenPGP keys made for a test, and packages signed by them: by rpmsign, and in ways rpmsign does not know."""

from __future__ import annotations

import shutil
import subprocess
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
