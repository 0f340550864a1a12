"""Artefacts other than the raw file come from the same disk, and are created again only if necessary."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
from typing import TYPE_CHECKING, Any

from oic.files import digest_of_file

if TYPE_CHECKING:
    from pathlib import Path

    from .place import Place

RAW = "small-1.0.0.raw"


def artefacts(place: Place, *wanted: dict[str, str]) -> None:
    recipe: dict[str, Any] = place.family.recipe
    recipe["disk"]["artifacts"] = list(wanted)
    place.write(recipe)


def sha256_of_gz(path: Path) -> str:
    with gzip.open(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_artefacts_come_from_the_disk_and_only_changed_ones_are_created_again(place: Place) -> None:
    """One test with several steps, as each is a build: several formats, another compression, the raw file again."""
    plain = digest_of_file(place.image / RAW)
    qcow2, tar = {"type": "qcow2"}, {"type": "tar", "compression": "gz"}
    artefacts(place, {"type": "raw", "compression": "gz"}, qcow2, tar)
    first = place.doit("build").succeeded()
    assert {"convert", "archive", "evidence"} <= first.stages()
    assert "disk" not in first.stages()
    assert not (place.image / RAW).exists()
    assert sha256_of_gz(place.image / f"{RAW}.gz") == plain
    info = subprocess.run(
        ["qemu-img", "convert", "-O", "raw", "small-1.0.0.qcow2", "back.raw"], cwd=place.image, check=False
    )
    assert info.returncode == 0
    assert digest_of_file(place.image / "back.raw") == plain
    (place.image / "back.raw").unlink()
    assert place.doit("build").succeeded().stages() == set()

    made = (place.image / "small-1.0.0.qcow2").stat()
    artefacts(place, {"type": "raw", "compression": "zstd"}, qcow2, tar)
    assert place.doit("build").succeeded().stages() == {"convert", "evidence"}
    assert not (place.image / f"{RAW}.gz").exists()
    assert (place.image / f"{RAW}.zst").exists()
    kept = (place.image / "small-1.0.0.qcow2").stat()
    assert (kept.st_ino, kept.st_mtime_ns) == (made.st_ino, made.st_mtime_ns)

    artefacts(place, {"type": "raw"}, {"type": "raw", "compression": "zstd"}, qcow2, tar)
    assert place.doit("build").succeeded().stages() == {"disk", "convert", "evidence"}
    assert digest_of_file(place.image / RAW) == plain
    assert (place.image / "small-1.0.0.qcow2").stat().st_ino == made.st_ino


def test_the_disk_size_of_a_vhd_must_be_whole_mib(place: Place) -> None:
    recipe: dict[str, Any] = place.family.recipe
    recipe["disk"] |= {"artifacts": [{"type": "vhd"}], "size": "655361KiB"}
    place.write(recipe)
    said = place.doit("build")
    assert said.status != 0
    assert "disk.size: expected whole MiB, as a vhd takes no other, found 655361KiB" in said.said
