"""What is on an ISO, read by xorriso and sfdisk, and its packages, by apt and dnf."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from .test_iso import iso_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Built

pytestmark = [pytest.mark.mirror, pytest.mark.slow]


@pytest.mark.parametrize("name", ["debian12-iso", "debian12-bios-iso", "debian12-live"])
def test_xorriso_and_sfdisk_read_it_without_a_complaint(name: str, built: Callable[[str], Built]) -> None:
    iso = iso_of(built(name))
    report = subprocess.run(
        ["xorriso", "-indev", iso, "-report_el_torito", "plain", "-report_system_area", "plain"],
        capture_output=True,
        text=True,
        check=True,
    )
    said = report.stdout + report.stderr
    assert not [line for line in said.splitlines() if re.match(r"xorriso : (WARNING|FAILURE|FATAL|SORRY)", line)]
    assert "El Torito boot img :   1  BIOS" in said
    assert "El Torito boot img :   2  UEFI" in said
    table = subprocess.run(["sfdisk", "--verify", iso], capture_output=True, text=True, check=False)
    assert table.returncode == 0, table.stdout + table.stderr


def carried_by(image: Built, place: Path) -> Path:
    """Copy the repositories of an ISO; return their directory."""
    argv = ["xorriso", "-osirrox", "on", "-indev", str(iso_of(image)), "-extract", "/cache-repo", f"{place}/cache-repo"]
    subprocess.run(argv, check=True, capture_output=True)
    return place / "cache-repo"


def test_apt_takes_every_package_of_the_image_from_the_medium(built: Callable[[str], Built], tmp_path: Path) -> None:
    """Signed as by the distribution: apt is given its keys, and a changed package or index is refused."""
    image = built("debian12-bios-iso")
    medium = carried_by(image, tmp_path)
    (tmp_path / "keys").mkdir()
    apt = tmp_path / "apt"
    for directory in ("state/lists/partial", "cache/archives/partial"):
        (apt / directory).mkdir(parents=True)
    key = "/usr/share/keyrings/debian-archive-keyring.gpg"
    suites = sorted(path.name for path in medium.iterdir())
    lines = [f"deb [signed-by={key}] file:{medium}/{suite} {suite} main\n" for suite in suites]
    (apt / "sources.list").write_text("".join(lines))
    options = {"State": "state", "State::status": "/dev/null", "Cache": "cache", "Etc": "."}
    options |= {"Etc::sourceparts": "/dev/null", "Etc::preferencesparts": "/dev/null", "Etc::parts": "/dev/null"}
    said = [f"-oDir::{name}={value if value.startswith('/') else apt / value}" for name, value in options.items()]
    subprocess.run(["apt-get", *said, "update"], check=True, capture_output=True)
    names = [f"{name}={version}" for name, version in image.packages().items()]
    argv = ["apt-get", *said, "--yes", "--no-install-recommends", "--download-only", "install", *names]
    subprocess.run(argv, check=True, capture_output=True)
    one = next(medium.rglob("bash_*.deb"))
    one.chmod(0o644)
    one.write_bytes(one.read_bytes()[:-1] + b"\0")
    refused = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert refused.returncode != 0
    assert "Hash Sum mismatch" in refused.stdout + refused.stderr


def test_dnf_installs_the_packages_of_the_image_from_the_medium(built: Callable[[str], Built], tmp_path: Path) -> None:
    image = built("azl3-hwe-iso")
    medium = carried_by(image, tmp_path)
    (repository,) = medium.iterdir()
    (key,) = (key for entry in image.json("lock.json")["repositories"] for key in entry["keys"])
    stored = image.place / "cache/store/sha256" / key["sha256"][:2] / key["sha256"]
    root, names = tmp_path / "root", image.packages()
    said = {"gpgcheck": 1, "repo_gpgcheck": 1, "gpgkey": f"file://{stored}"}
    options = [f"--setopt=medium.{name}={value}" for name, value in said.items()]
    options += [f"--setopt={option}" for option in ("tsflags=noscripts", "install_weak_deps=0", "reposdir=/nowhere")]
    argv = ["dnf", "--assumeyes", f"--installroot={root}", "--releasever=3.0", "--repo=medium", *options]
    argv += [f"--repofrompath=medium,file://{repository}", f"--setopt=cachedir={tmp_path}/dnf", "install", *names]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Install  {len(names)} Packages" in done.stdout
