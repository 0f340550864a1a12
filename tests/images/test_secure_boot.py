"""A signed image under OVMF with Secure Boot on and a certificate of the test alone: it boots, and no other does."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
import yaml
from image.host import output
from image.own_keys import OwnKeys, make_keys

from oic.boottest.failure import BootError
from oic.boottest.vm import SETUP_MODE, Firmware, Machine, started
from oic.handover.disk import BootFiles
from oic.image.signing.authenticode import sign_program
from oic.image.signing.keys import read_certificate, read_key, sign_with

from .conftest import Built
from .test_verity import DISKS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

pytestmark = [pytest.mark.mirror, pytest.mark.boot]

MANAGER, KERNEL = "EFI/BOOT/BOOTX64.EFI", "EFI/Linux/signed-1.0.0.efi"
PATIENCE = 300.0


def trusting(certificate: bytes) -> Firmware:
    return replace(SETUP_MODE, certificate=certificate)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> OwnKeys:
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def signed(keys: OwnKeys, tmp_path_factory: pytest.TempPathFactory) -> Built:
    image = Built("signed", tmp_path_factory.mktemp("signed"), None)
    image.recipe.parent.mkdir()
    recipe = {
        "image": {"name": image.name, "version": "1.0.0"},
        "target": {"os": "debian", "dist": "debian12", "arch": "x86_64", "imageType": "raw"},
        "disk": DISKS["ext4"],
        "systemConfig": {
            "immutability": {"enabled": True, **keys.recipe},
            "kernel": {"packages": ["linux-image-cloud-amd64"], "cmdline": "console=ttyS0,115200"},
        },
    }
    image.recipe.write_text(yaml.safe_dump(recipe, sort_keys=False))
    image.doit("build")
    return image


def test_a_signed_image_boots_where_its_certificate_alone_is_trusted(signed: Built, keys: OwnKeys) -> None:
    said = signed.doit("boot-test", f"timeout={PATIENCE * 3:.0f}")
    assert "Secure Boot is on, and the firmware trusts CN=db of a test alone" in said
    assert "secureboot: Secure boot enabled" in (signed.directory / "log/boot-test.log").read_text()
    manifest = signed.json("signed-1.0.0.manifest.json")
    printed = output("openssl", "x509", "-in", keys.crt, "-noout", "-fingerprint", "-sha256")
    assert manifest["secureBoot"]["certificate"] == printed.split("=")[1].strip().replace(":", "").lower()
    assert manifest["verifiedRoot"]["rootHashIsSigned"]
    assert (signed.directory / "signed-1.0.0.cer").read_bytes() == keys.cer.read_bytes()
    for program in manifest["secureBoot"]["programs"]:
        file = signed.place / "program.efi"
        output("mcopy", "-n", "-o", "-i", signed.directory / "esp-signed.img", f"::{program['name']}", file)
        output("sbverify", "--cert", keys.crt, file)


@pytest.mark.slow
def test_an_image_of_rpm_packages_is_signed_by_the_same_signer(
    built: Callable[[str], Built], keys: OwnKeys, tmp_path: Path
) -> None:
    base = built("emt3-minimal")
    image = Built("emt3-signed", base.place, base.mirror)
    recipe = yaml.safe_load(base.recipe.read_text())
    recipe["image"] = {"name": image.name, "version": "1.0.0"}
    recipe.setdefault("systemConfig", {})["immutability"] = {"enabled": True, **keys.recipe}
    image.recipe.write_text(yaml.safe_dump(recipe, sort_keys=False))
    shutil.copy(base.recipe.with_suffix(".lock.json"), image.recipe.with_suffix(".lock.json"))
    image.doit("build")
    for program in image.json("sign.json")["programs"]:
        output(
            "mcopy", "-n", "-o", "-i", image.directory / "esp-signed.img", f"::{program['name']}", tmp_path / "one.efi"
        )
        output("sbverify", "--cert", keys.crt, tmp_path / "one.efi")
    machine = Machine(firmware=trusting(keys.cer.read_bytes()))
    await_kernel(image.raw, machine, tmp_path / "log", kernel="UEFI Secure Boot is enabled")


def unsigned(image: Built, name: str) -> bytes:
    handed = BootFiles.from_text((image.directory / BootFiles.FILE).read_text()).to_sign or ()
    (path,) = (entry.file.path for entry in handed if entry.name == name)
    return (image.place / "cache" / path).read_bytes()


def on_esp(image: Built, name: str) -> bytes:
    file = image.place / "one.efi"
    output("mcopy", "-n", "-o", "-i", image.directory / "esp-signed.img", f"::{name}", file)
    return file.read_bytes()


def by_other_key(image: Built, name: str) -> bytes:
    other = make_keys(image.place, "other")
    certificate = read_certificate(other.crt, "PEM")
    return sign_program(on_esp(image, name), certificate, partial(sign_with, read_key(other.key)), name)


def with_changed(text: bytes, image: Built, name: str) -> bytes:
    content = on_esp(image, name)
    at = content.index(text)
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


SETUP_HEADER = b"HdrS"
"""In the setup header of the kernel that is a section of the image."""
REFUSED: dict[str, tuple[Callable[[Built, str], bytes], str]] = {
    "an unsigned boot manager": (unsigned, MANAGER),
    "a boot manager by another key": (by_other_key, MANAGER),
    "an unsigned kernel image": (unsigned, KERNEL),
    "a kernel image by another key": (by_other_key, KERNEL),
    "a changed command line": (partial(with_changed, b"roothash="), KERNEL),
    "a changed kernel": (partial(with_changed, SETUP_HEADER), KERNEL),
}


@pytest.mark.parametrize(
    "name",
    [name if name == "a changed command line" else pytest.param(name, marks=pytest.mark.slow) for name in REFUSED],
)
def test_another_program_is_not_started(name: str, signed: Built, keys: OwnKeys, tmp_path: Path) -> None:
    change, program = REFUSED[name]
    disk = with_programs(signed, {program: change(signed, program)}, tmp_path / "disk.raw")
    refusal = r"failed to load Boot0001 .*Access Denied" if program == MANAGER else r"Error loading .*Access [Dd]enied"
    with pytest.raises(BootError, match=refusal):
        await_kernel(disk, Machine(firmware=trusting(keys.cer.read_bytes())), tmp_path / "log")


@pytest.mark.slow
def test_an_image_is_not_started_where_another_certificate_is_trusted(signed: Built, tmp_path: Path) -> None:
    other = trusting(make_keys(tmp_path, "other").cer.read_bytes())
    with pytest.raises(BootError, match=r"failed to load Boot0001 .*Access Denied"):
        await_kernel(signed.raw, Machine(firmware=other), tmp_path / "log")


def with_programs(image: Built, programs: Mapping[str, bytes], disk: Path) -> Path:
    """Copy a disk, and write these programs to its ESP, as mtools does."""
    subprocess.run(["cp", "--sparse=always", image.raw, disk], check=True)
    (offset,) = (entry["offset"] for entry in image.json("image.json")["partitions"] if entry["id"] == "esp")
    for name, content in programs.items():
        disk.with_name("program").write_bytes(content)
        output("mcopy", "-o", "-i", f"{disk}@@{offset}", disk.with_name("program"), f"::{name}")
    return disk


def await_kernel(disk: Path, machine: Machine, log: Path, kernel: str = r"Linux version|EFI stub:") -> None:
    """Wait until a kernel starts; raises BootError when the firmware or the boot manager says that none will."""
    with started(disk, machine, credentials={}, log=log) as console:
        console.expect("a kernel", {"kernel": kernel}, time.monotonic() + PATIENCE)


@pytest.mark.slow
def test_systemd_boot_enrols_the_certificate_in_setup_mode(signed: Built, tmp_path: Path) -> None:
    """Chosen in the menu, or as here by loader.conf, which is not signed: firmware in setup mode starts anything."""
    settings = b"timeout 0\nsecure-boot-enroll force\n"
    disk = with_programs(signed, {"loader/loader.conf": settings}, tmp_path / "disk.raw")
    machine = Machine(firmware=SETUP_MODE, variables=tmp_path / "variables.fd")
    with pytest.raises(BootError, match="switched itself off or rebooted"):
        await_kernel(disk, machine, tmp_path / "log")
    assert "Enrolling secure boot keys from directory" in (tmp_path / "log").read_text()
    await_kernel(disk, machine, tmp_path / "log", kernel="UEFI Secure Boot is enabled")
    disk = with_programs(signed, {MANAGER: unsigned(signed, MANAGER)}, disk)
    with pytest.raises(BootError, match=r"failed to load Boot0001 .*Access Denied"):
        await_kernel(disk, machine, tmp_path / "log")
