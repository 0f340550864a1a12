"""Programs for UEFI that others made."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from .host import output

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small program as its linker made it."""
    at = tmp_path_factory.mktemp("linked")
    (at / "stub.s").write_text('.text\n.globl _start\n_start: ret\n.section .sbat\n.ascii "sbat,1"\n.data\n.quad 7\n')
    output("as", "-o", at / "stub.o", at / "stub.s")
    output("ld", "-m", "i386pep", "--subsystem", "10", "-e", "_start", "-s", "-o", at / "stub.efi", at / "stub.o")
    return at / "stub.efi"


@pytest.fixture(scope="session")
def systemds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return systemd's stub, from the mirror; its boot manager is beside it."""
    at = tmp_path_factory.mktemp("systemd")
    at.chmod(0o755)
    subprocess.run(["apt-get", "-q", "download", "systemd-boot-efi"], cwd=at, check=True, capture_output=True)
    output("dpkg-deb", "-x", next(at.glob("*.deb")), at)
    return at / "usr/lib/systemd/boot/efi/linuxx64.efi.stub"
