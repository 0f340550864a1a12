from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from oic.chroot import namespace
from oic.errors import OicError
from oic.image.boot.systemd_boot import read_loader
from oic.process import child

if TYPE_CHECKING:
    from pathlib import Path

STUB = "usr/lib/systemd/boot/efi/linuxx64.efi.stub"


def test_a_build_environment_without_systemd_boot_is_reported(tmp_path: Path) -> None:
    message = rf"expected {STUB} in the build environment, found none \(the distribution's tools lack the package"
    with pytest.raises(OicError, match=message):
        namespace.call(child.inside, tmp_path, read_loader, STUB)


def test_a_link_of_the_build_environment_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / STUB).parent.mkdir(parents=True)
    (tmp_path / STUB).symlink_to("/etc/hostname")
    with pytest.raises(OicError, match="found none"):
        namespace.call(child.inside, tmp_path, read_loader, STUB)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hostname").write_text("inside")
    assert namespace.call(child.inside, tmp_path, read_loader, STUB) == b"inside"
