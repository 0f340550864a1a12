"""Boot loader entries: their text, and the names that systemd-boot and kernel-install look for."""

from __future__ import annotations

from pathlib import Path

import pytest

from oic.config.architecture import X86_64
from oic.image.boot import Bootable, BootKernel
from oic.image.boot.loader_entries import entry_text, token_of

RELEASE = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n'


def test_an_entry_has_what_kernel_install_writes_into_one() -> None:
    kernel = BootKernel(
        version="6.1",
        kernel=Path("/k"),
        path="boot/vmlinuz-6.1",
        initramfs=Path("/i"),
        initramfs_path="boot/initrd.img-6.1",
    )
    wanted = Bootable(
        name="edge-1.0.0",
        architecture=X86_64,
        kernels=[kernel],
        command_line="root=PARTUUID=x rw quiet",
        os_release=RELEASE,
        epoch=0,
    )
    assert entry_text(wanted, kernel, "debian/6.1", "initrd.img-6.1") == (
        "title      Debian GNU/Linux 12 (bookworm)\n"
        "version    6.1\n"
        "sort-key   debian\n"
        "options    root=PARTUUID=x rw quiet\n"
        "linux      /debian/6.1/linux\n"
        "initrd     /debian/6.1/initrd.img-6.1\n"
    )


@pytest.mark.parametrize(
    ("os_release", "token"),
    [
        (RELEASE, "debian"),
        ('ID="centos"\n', "centos"),
        ("ID=debian\nIMAGE_ID=edge\n", "edge"),
        ("NAME=Other\n", "linux"),
        ("ID=../..\n", "linux"),
        ("ID=Upper\n", "linux"),
    ],
)
def test_the_names_of_entries_begin_with_the_id_of_the_image_or_the_system(os_release: str, token: str) -> None:
    assert token_of(os_release) == token
