from __future__ import annotations

import random
import subprocess
from typing import TYPE_CHECKING

import pytest

from oic.errors import OicError
from oic.image.tree.kernels import kernels_of, os_release

if TYPE_CHECKING:
    from pathlib import Path


def put(root: Path, version: str, *, image: bool = True) -> None:
    (root / "usr/lib/modules" / version).mkdir(parents=True)
    if image:
        (root / "boot").mkdir(exist_ok=True)
        (root / f"boot/vmlinuz-{version}").touch()


def test_the_newest_is_what_sort_says_it_is(tmp_path: Path) -> None:
    versions = ["6.1.0-9-amd64", "6.1.0-56-amd64", "6.1.0-10-amd64", "5.15.0-100-amd64", "6.12.3-1.emt3", "6.2-1.azl3"]
    order = subprocess.run(["sort", "-V"], input="\n".join(versions), capture_output=True, text=True, check=True).stdout
    for version in random.Random(1).sample(versions, len(versions)):
        put(tmp_path, version)
    assert [kernel.version for kernel in kernels_of(tmp_path)] == order.split()[::-1]
    assert kernels_of(tmp_path)[0].version == order.split()[-1] == "6.12.3-1.emt3"


def test_modules_without_an_image_do_not_count(tmp_path: Path) -> None:
    put(tmp_path, "6.1.0-9-amd64")
    put(tmp_path, "6.9.0-1-amd64", image=False)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text("ID=debian\n")
    (kernel,) = kernels_of(tmp_path)
    assert (kernel.version, kernel.path) == ("6.1.0-9-amd64", "boot/vmlinuz-6.1.0-9-amd64")
    assert os_release(tmp_path) == "ID=debian\n"


def test_an_image_among_the_modules_is_found(tmp_path: Path) -> None:
    put(tmp_path, "6.6.1", image=False)
    (tmp_path / "usr/lib/modules/6.6.1/vmlinuz").touch()
    assert kernels_of(tmp_path)[0].path == "usr/lib/modules/6.6.1/vmlinuz"


def test_no_kernel_is_said(tmp_path: Path) -> None:
    with pytest.raises(OicError, match=r"expected a kernel .* found none .*systemConfig\.kernel\.packages"):
        kernels_of(tmp_path)
