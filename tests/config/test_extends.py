"""A recipe that extends a template means what the two say together; what it may not extend is said in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .conftest import HEAD, MIRROR

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Complain, Load

TARGET = f"target: {{os: debian, dist: debian12, arch: x86_64, imageType: raw, mirror: {MIRROR}}}\n"
OTHER = TARGET.replace("debian12", "debian13")


def parent(folder: Path, name: str, body: str, target: str = TARGET) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(f"image: {{name: parent, version: 9.0}}\n{target}{body}")


def test_a_chain_is_merged_from_its_root_and_only_the_recipe_says_what_the_image_is(load: Load, tmp_path: Path) -> None:
    parent(tmp_path, "low/root.yml", "systemConfig: {hostname: root, timezone: Etc/UTC, packages: [one]}\n")
    (tmp_path / "part.yml").write_text("systemConfig: {hostname: part, locale: C.UTF-8, packages: [three]}\n")
    parent(
        tmp_path,
        "middle.yml",
        "extends: low/root.yml\ninclude: [part.yml]\ndefault: true\nmetadata: {description: of the parent}\n"
        "systemConfig: {packages: [two], keymap: de}\n",
    )
    config = load("extends: middle.yml\nsystemConfig: {packages: [four]}\n")
    assert (config.image.name, config.image.version) == ("small", "1.0")
    assert (config.system.hostname, config.system.timezone, config.system.locale, config.system.keymap) == (
        "part", "Etc/UTC", "C.UTF-8", "de",
    )  # fmt: skip
    assert config.system.packages[-4:] == ("one", "three", "two", "four")


def test_an_empty_section_of_the_recipe_takes_nothing_away(load: Load, tmp_path: Path) -> None:
    parent(tmp_path, "low.yml", "systemConfig: {hostname: low}\n")
    config = load("extends: low.yml\nsystemConfig:\ndisk: {}\n")
    assert (config.system.hostname, len(config.disk.partitions)) == ("low", 2)


REFUSED = {
    "../x.yml": "expected a template in this file's directory or below, found '../x.yml'; include takes any",
    "/etc/x.yml": "expected a template in this file's directory or below, found '/etc/x.yml'; include takes any",
    "link.yml": "expected a template itself, found a symbolic link on the way to link.yml",
    "linked/low.yml": "expected a template itself, found a symbolic link on the way to linked/low.yml",
    "none.yml": "expected a template that can be read, found: "
    "none.yml: expected a YAML file, found nothing of this name",
    "small.yml": "expected templates that do not extend each other, found a circle: small.yml → small.yml",
}


@pytest.mark.parametrize("path", REFUSED)
def test_what_cannot_be_extended_is_said(path: str, complain: Complain, tmp_path: Path) -> None:
    parent(tmp_path, "real/low.yml", "")
    (tmp_path / "link.yml").symlink_to("real/low.yml")
    (tmp_path / "linked").symlink_to("real")
    assert complain(f"extends: {path}\n") == [f"small.yml:3: extends: {REFUSED[path]}"]


def test_a_circle_of_several_is_said(complain: Complain, tmp_path: Path) -> None:
    parent(tmp_path, "a.yml", "extends: b.yml\n")
    parent(tmp_path, "b.yml", "extends: a.yml\n")
    (line,) = complain("extends: a.yml\n")
    assert line.startswith("b.yml:3: extends: expected templates that do not extend each other, found a circle: ")
    assert line.endswith("small.yml → a.yml → b.yml → a.yml")


def test_a_part_extends_nothing(complain: Complain, tmp_path: Path) -> None:
    parent(tmp_path, "low.yml", "")
    (tmp_path / "part.yml").write_text("extends: low.yml\n")
    wanted = "part.yml:1: extends: expected a part without a parent, found extends; only recipes extend"
    assert complain("include: [part.yml]\n") == [wanted]


@pytest.mark.parametrize(("target", "found"), [(OTHER, "debian/debian13/x86_64/raw"), ("", "none")])
def test_every_level_is_for_the_same_target(target: str, found: str, complain: Complain, tmp_path: Path) -> None:
    parent(tmp_path, "low.yml", "", target)
    (line,) = complain("extends: low.yml\n")
    assert line == (
        f"low.yml:{2 if target else 1}: target: expected the target of every template that is extended "
        f"to be the recipe's, debian/debian12/x86_64/raw, found {found}"
    )


def test_a_mistake_of_a_parent_is_said_with_its_own_line(complain: Complain, tmp_path: Path) -> None:
    parent(tmp_path, "low.yml", "systemConfig: {hostnam: x}\n")
    wanted = "low.yml:3: systemConfig.hostnam: expected a known key, found 'hostnam'; did you mean 'hostname'?"
    assert complain("extends: low.yml\n", head=HEAD) == [wanted]


def test_what_goes_together_may_come_from_several_files(load: Load, complain: Complain, tmp_path: Path) -> None:
    """Secure Boot's three files, a passphrase, an overlay and its policy."""
    parent(
        tmp_path,
        "base.yml",
        "systemConfig:\n  immutability: {enabled: true, secureBootDBCrt: a.crt, secureBootDBCer: a.cer}\n"
        "  fde: {passphraseFile: /secret}\nbaseline: {mode: overlay, source: {path: a.raw}}\n",
    )
    own = "extends: base.yml\noverlayPolicy: {allowDiskResize: true}\nsystemConfig:\n  fde: {enabled: true}\n"
    assert load(own + "  immutability: {secureBootDBKey: a.key, secureBootDBCer: ''}\n").unbuilt
    (said,) = complain(own)
    assert "immutability: expected all of secureBootDBKey, secureBootDBCrt, secureBootDBCer or none" in said
