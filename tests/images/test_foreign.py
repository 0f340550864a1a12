"""Templates of public tools: those beside this file, and those of the directory that OIC_TEMPLATES names.

The repositories of the first are made here, see `foreign`. Of the second, each has to build and boot, or be refused for
what is not built yet; the table of ``docs/templates.md`` is what came of the public ones.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .foreign import templates_in, tried

if TYPE_CHECKING:
    from .foreign import Tried

pytestmark = [pytest.mark.mirror, pytest.mark.slow, pytest.mark.boot]

OWN = Path(__file__).with_name("templates")
GIVEN = os.environ.get("OIC_TEMPLATES")
REFUSED = ("is not built yet", "expected a key by https", "no stand-in for", "not tried")


def repositories_of(place: Path, name: str) -> dict[str, str]:
    """Return version and repository of each package of a built image."""
    lock = json.loads((place / "cache" / name / "lock.json").read_text())
    return {entry["name"]: f"{entry['version']} {entry['repository']}" for entry in lock["sets"]["image"]}


def built(name: str, place: Path, *, boot: bool) -> Tried:
    found = tried(OWN / f"{name}.yml", place, boot=boot)
    assert (found.builds, found.boots) == ("yes", "yes" if boot else ""), found.said
    return found


def test_the_kernel_of_a_vendor_s_suite_boots(tmp_path: Path) -> None:
    found = built("elxr12-vendor", tmp_path, boot=True)
    image = repositories_of(tmp_path, "elxr12-vendor")
    assert image["linux-image-6.12-vendor"] == "251229t065211z-r2 noble"
    assert image["linux-headers-6.12-vendor"] == "251229t065211z-r2 noble"
    assert image["vendor-agent"] == "2025.2.0 jammy-updates"
    assert image["vendor-tool"] == "1.0 jammy"
    assert image["libgadgetry"] == "1.0 repository"
    assert "a placeholder, <URL>; the repository is left out" in found.said
    assert sum("linux-image" in name for name in image) == 1
    assert f"booted: kernel {booted(tmp_path, 'elxr12-vendor')}" in found.said


def booted(place: Path, name: str) -> str:
    return str(json.loads((place / "cache" / name / "boot-test.json").read_text())["kernel"])


def test_an_image_has_the_rpms_of_a_vendor_and_of_what_it_extends(tmp_path: Path) -> None:
    built("emt3-vendor", tmp_path, boot=True)
    image = repositories_of(tmp_path, "emt3-vendor")
    assert image["kernel-rt"].startswith("6.17-1")
    assert image["kernel-rt"].endswith(" vendor")
    assert image["vendor-agent"] == "2.1-1 vendor"
    assert image["vendor-tool"] == "1.0-1 next"
    assert image["edge-rpm-macros"] == "1.0-1 next"


if GIVEN:

    @pytest.mark.parametrize("template", list(templates_in([Path(GIVEN)])), ids=lambda template: template.stem)
    def test_a_template_from_outside_builds_and_boots(template: Path, tmp_path: Path) -> None:
        found = tried(template, tmp_path, boot=True)
        if not any(words in found.builds for words in REFUSED):
            assert (found.builds, found.boots) == ("yes", "yes"), found.said
