"""Signs with the test keys in ``keys/``, which are public and protect nothing; every machine makes the same signatures.

* RSA signatures (PKCS #1 v1.5) of the same bytes at the same time are the same bytes; gpg's clock is set to that time.
* A new keyring is created at a short path, because it contains the agent's socket. It is removed after the agent ended.
* Only one signature is made at a time: if an agent starts with two, one sometimes fails with "Invalid value".
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oic.errors import ToolError

from .catalogue import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAMES = ("azl3", "emt3", "foreign")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A keyring with one secret key; all its signatures have the same `time`, in seconds since 1970."""

    name: str
    home: Path
    time: int

    def sign_packages(self, files: Sequence[Path], *, old: bool = False) -> None:
        """Sign the headers of packages in place (version 4); `old`: also header and payload together."""
        if not files:
            return
        command = " ".join(
            [
                "%{__gpg} gpg",
                *self._options(),
                "--no-armor",
                "-sbo",
                "%{__signature_filename}",
                "--",
                "%{__plaintext_filename}",
            ]
        )
        macros = {"__gpg": "/usr/bin/gpg", "_gpg_name": self.name, "__gpg_sign_cmd": command}
        defines = [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
        self._run("rpmsign", *defines, *(["--rpmv3"] if old else []), "--addsign", *map(str, files))

    def sign_detached(self, file: Path) -> None:
        """Write ``FILE.asc``."""
        output = file.with_name(f"{file.name}.asc")
        self._run("gpg", *self._options(), "--armor", "--output", str(output), "--detach-sign", str(file))

    def _options(self) -> list[str]:
        return [
            *("--batch", "--no-tty", "--no-verbose", "--digest-algo", "sha256"),
            *("--faked-system-time", f"{self.time}!"),
        ]

    def _run(self, *argv: str) -> None:
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "GNUPGHOME": str(self.home), "LC_ALL": "C"}
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ToolError(f"{argv[0]} failed: {done.stderr.strip() or done.stdout.strip()}")


@contextlib.contextmanager
def signer(name: str, time: int) -> Iterator[Signer]:
    """Yield the signer for a name in `NAMES`; raises ToolError."""
    home = Path(tempfile.mkdtemp(prefix="standin-gpg-"))
    made = Signer(name=name, home=home, time=time)
    try:
        made._run("gpg", "--batch", "--quiet", "--import", str(KEYS / f"{name}.sec.asc"))
        yield made
    finally:
        made._run("gpgconf", "--kill", "all")
        shutil.rmtree(home, ignore_errors=True)


def make_key(name: str) -> None:
    """Create the key pair for a name in `NAMES` and write it to `KEYS`; this was done once."""
    home = Path(tempfile.mkdtemp(prefix="standin-gpg-"))
    env = {**os.environ, "GNUPGHOME": str(home)}
    gpg = ["gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    user = f"Test key {name}, worth nothing <{name}@stand-in.invalid>"
    clock = ["--faked-system-time", "20150101T000000!"]
    comment = ["--comment", "A test key, worth nothing: its secret half is public as well."]
    subprocess.run([*gpg, *clock, "--quick-gen-key", user, "rsa3072", "sign", "never"], env=env, check=True)
    for kind, ending in (("--export", "pub"), ("--export-secret-keys", "sec")):
        output = str(KEYS / f"{name}.{ending}.asc")
        subprocess.run([*gpg, *comment, "--armor", "--output", output, kind, user], env=env, check=True)
    subprocess.run(["gpgconf", "--kill", "all"], env=env, check=True)
    shutil.rmtree(home, ignore_errors=True)
