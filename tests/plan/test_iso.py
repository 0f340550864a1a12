"""The stages of an ISO and of the initramfs that it boots."""

from __future__ import annotations

from pathlib import Path

import pytest

from oic.config.final import load_config
from oic.handover.disk import BootFiles, LiveTree, MediumSystem, Payload
from oic.plan import plan
from oic.plan.packages import request_of

HEAD = """image: {name: small, version: 1.0}
target: {os: debian, dist: debian12, arch: x86_64, imageType: KIND, mirror: https://mirror.invalid/debian}
"""
PACKAGES = ("metadata", "solve", "download", "verify", "chroot", "rootfs", "system")
MEDIUM = ("rootfs-medium", "system-medium", "img-medium")
CACHE = Path("/cache")


def stages(tmp_path: Path, body: str, kind: str = "iso"):  # type: ignore[no-untyped-def] # noqa: ANN201
    recipe = tmp_path / "small.yml"
    recipe.write_text(HEAD.replace("KIND", kind) + body)
    config = load_config(recipe, {})
    assert config.unbuilt == ()
    return config, plan(config, CACHE)


@pytest.mark.parametrize(
    ("body", "own", "reads"),
    [
        ("iso: {mode: live}\n", ("live",), {LiveTree}),
        ("iso: {mode: unattended}\n", ("initrd", "boot", "fs", "payload"), {Payload}),
        ("iso: {mode: [live, unattended]}\n", ("initrd", "boot", "fs", "payload", "live"), {LiveTree, Payload}),
    ],
)
def test_an_iso_has_the_stages_of_what_it_offers(
    body: str, own: tuple[str, ...], reads: set[type], tmp_path: Path
) -> None:
    config, planned = stages(tmp_path, body)
    assert [stage.name for stage in planned] == [*PACKAGES, *own, *MEDIUM, "iso", "evidence"]
    iso = planned[-2]
    assert {*iso.reads} & {LiveTree, Payload} == reads
    assert iso.place_of(MediumSystem) == CACHE / "small/medium.json"
    written = [path for stage in planned for path in (*stage.outputs, stage.origin_file, stage.log)]
    assert len(written) == len(set(written))
    made = {path for stage in planned for path in stage.outputs}
    assert [path for stage in planned for path in stage.inputs if path not in made] == []
    sets = request_of(config).sets
    assert sorted(sets) == ["image", "medium", "tools"]
    assert ("python3" in sets["medium"].names) == (Payload in reads)
    assert "python3" not in sets["image"].names


def test_an_initramfs_is_an_image_of_its_own(tmp_path: Path) -> None:
    config, planned = stages(tmp_path, "", "img")
    assert [stage.name for stage in planned] == [*PACKAGES, "img", "evidence"]
    assert [path.name for path in planned[-2].outputs] == ["img.json", "small-1.0.img", "small-1.0.vmlinuz"]
    assert sorted(request_of(config).sets) == ["image", "tools"]


@pytest.mark.parametrize(
    ("esp", "provider", "is_read"),
    [("160MiB", "systemd-boot", False), ("auto", "systemd-boot", True), ("160MiB", "grub", True)],
)
def test_file_systems_wait_for_what_boots_where_that_is_in_them_or_the_esp_has_no_size(
    esp: str, provider: str, *, is_read: bool, tmp_path: Path
) -> None:
    partitions = (
        f"    - {{id: esp, type: esp, size: {esp}, fsType: fat32, mountPoint: /boot/efi}}\n"
        '    - {id: root, type: linux, end: "0", fsType: ext4, mountPoint: /}\n'
    )
    loader = f"systemConfig:\n  bootloader: {{bootType: efi, provider: {provider}}}\n"
    _, planned = stages(tmp_path, f"iso: {{mode: unattended}}\ndisk:\n  partitions:\n{partitions}{loader}")
    (fs,) = (stage for stage in planned if stage.name == "fs")
    assert (BootFiles in fs.reads) == is_read
