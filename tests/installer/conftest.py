from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from installer.medium import MIB, Medium, make_bios, make_efi

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def efi_medium(tmp_path_factory: pytest.TempPathFactory) -> Medium:
    """A medium that no test changes."""
    return make_efi(tmp_path_factory.mktemp("efi"))


@pytest.fixture(scope="session")
def bios_medium(tmp_path_factory: pytest.TempPathFactory) -> Medium:
    """A medium that no test changes."""
    return make_bios(tmp_path_factory.mktemp("bios"))


@pytest.fixture
def medium(efi_medium: Medium, tmp_path: Path) -> Medium:
    """A medium of its own for a test that changes it."""
    path = tmp_path / "medium"
    shutil.copytree(efi_medium.path, path)
    copy = Medium(path, efi_medium.plain, {**efi_medium.index})
    copy.reload()
    return copy


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A disk that is full of something without meaning."""
    path = tmp_path / "disk"
    path.write_bytes(b"\xa5" * (64 * MIB))
    return path
