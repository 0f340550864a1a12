"""Where an image is signed: between what boots it and the disk, and nothing else knows of the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from image.own_keys import make_keys

from oic.config.final import load_config
from oic.handover.disk import BootFiles, SignedFiles
from oic.plan import plan
from oic.values import to_json

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from oic.stage import Stage

TARGET = {"os": "debian", "dist": "debian12", "arch": "x86_64", "mirror": "https://mirror.invalid/debian"}


def stages_of(place: Path, kind: str, fields: dict[str, Any]) -> dict[str, Stage[Any]]:
    recipe = {
        "image": {"name": "small", "version": "1"},
        "target": {**TARGET, "imageType": kind},
        **({"iso": {"mode": "unattended"}} if kind == "iso" else {}),
        "systemConfig": {
            "bootloader": {"bootType": "efi", "provider": "systemd-boot"},
            "immutability": {"enabled": True, "state": "memory", **fields},
        },
    }
    (place / "small.yml").write_text(yaml.safe_dump(recipe))
    config = load_config(place / "small.yml", {})
    assert config.unbuilt == ()
    return {stage.name: stage for stage in plan(config, place / "cache")}


@pytest.mark.parametrize(("kind", "last"), [("raw", "disk"), ("iso", "payload")])
def test_what_follows_reads_what_is_signed(kind: str, last: str, tmp_path: Path) -> None:
    stages = stages_of(tmp_path, kind, make_keys(tmp_path).recipe)
    names = [*stages]
    assert names.index("boot") < names.index("sign") < names.index(last)
    assert BootFiles in stages["sign"].reads
    assert SignedFiles in stages[last].reads
    assert stages["boot"].slice.to_sign
    assert stages["boot"].slice.esp is None


def test_without_keys_nothing_is_signed(tmp_path: Path) -> None:
    stages = stages_of(tmp_path, "raw", {})
    assert "sign" not in stages
    assert SignedFiles not in stages["disk"].reads
    assert stages["boot"].slice.esp


def test_no_slice_has_the_key_or_its_place(tmp_path: Path) -> None:
    keys = make_keys(tmp_path)
    stages = stages_of(tmp_path, "raw", keys.recipe)
    secret = keys.key.read_text().splitlines()[4]
    for stage in stages.values():
        assert secret not in to_json(stage.slice)
        assert "db.key" not in to_json(stage.slice)
    with_certificate = [name for name, stage in stages.items() if "CERTIFICATE" in to_json(stage.slice)]
    assert with_certificate == ["sign"]


def test_another_key_changes_one_slice_and_what_the_manifest_says(tmp_path: Path) -> None:
    first = stages_of(tmp_path, "raw", make_keys(tmp_path).recipe)
    second = stages_of(tmp_path, "raw", make_keys(tmp_path, "other").recipe)
    assert [name for name in first if first[name].slice != second[name].slice] == ["sign", "evidence"]
