"""Whether a repository's metadata are signed: the data's word, the recipe's, and where unsigned ones are refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from oic.errors import RecipeError

from .test_repositories import ACME, acme, host, with_target

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Complain, Load

__all__ = ["acme"]  # a fixture

LISTED = "    mirrorList: https://acme.invalid/mirrors?release=$releasever&arch=$basearch\n"
UNSIGNED = f"{ACME.replace(LISTED, '')}".replace("    imageKey", "    signedMetadata: false\n    imageKey")
HTTP = "base: expected an https URL, as its metadata are not signed, found http://"
HINT = "(or target.signedMetadata: true, if the mirror signs them)"


@pytest.mark.parametrize(
    ("data", "said", "signed"),
    [
        (ACME, "", True),
        (UNSIGNED, "", False),
        (UNSIGNED, "signedMetadata: true", True),
        (ACME, "signedMetadata: false", False),
        (ACME, "signedMetadata: false, mirror: 'file:///srv/acme'", False),
        (UNSIGNED, "signedMetadata: true, mirror: 'http://plain.invalid'", True),
    ],
)
def test_the_recipe_s_word_comes_before_the_data_s(
    data: str, said: str, acme: Path, load: Load, *, signed: bool
) -> None:
    acme.write_text(data)
    (base,) = load("", head=with_target(said) if said else with_target("mirror: 'https://m.invalid'")).repositories
    assert base.signed_metadata is signed
    assert not base.trusted


def test_unsigned_metadata_come_by_https(acme: Path, load: Load, complain: Complain, tmp_path: Path) -> None:
    acme.write_text(UNSIGNED)
    (line,) = complain("", head=with_target("mirror: 'http://plain.invalid'"))
    assert f"target: {HTTP}plain.invalid/os/x86_64 {HINT}" in line
    host(tmp_path / "host", "[acme]\nbaseurl=http://plain.invalid/os\n")
    with pytest.raises(RecipeError, match=re.escape(f"{HTTP}plain.invalid/os {HINT}")):
        load("", head=with_target("mirror: host"), root=tmp_path / "host")
    trusted = "mirror: 'http://plain.invalid', mirrorKeys: ['[trusted=yes]']"
    assert load("", head=with_target(trusted)).repositories[0].trusted


def test_a_list_of_mirrors_comes_by_https_too(acme: Path, complain: Complain) -> None:
    plain = LISTED.replace("https", "http")
    acme.write_text(UNSIGNED.replace("    imageKey", f"{plain}    imageKey"))
    (line,) = complain("", head=with_target("signedMetadata: false"))
    assert f"{HTTP}acme.invalid/mirrors?release=7&arch=x86_64" in line


def test_a_deb_repository_s_metadata_are_signed(complain: Complain, load: Load) -> None:
    message = "expected signed metadata, as no deb is signed by itself, found signedMetadata: false"
    head = (
        "image: {name: small, version: 1.0}\n"
        "target: {os: debian, dist: debian12, arch: x86_64, imageType: raw, mirror: 'https://m.invalid/debian', WORD}\n"
    )
    (line,) = complain("", head=head.replace("WORD", "signedMetadata: false"))
    assert message in line
    assert "mirrorKeys: ['[trusted=yes]'] takes packages that nobody signed" in line
    load("", head=head.replace("WORD", "signedMetadata: true"))
    load("", head=head.replace("WORD", "signedMetadata: false, mirrorKeys: ['[trusted=yes]']"))


def test_further_repositories_are_held_to_the_same(complain: Complain, acme: Path) -> None:
    entry = "packageRepositories: [{codename: a, url: 'URL', pkey: KEY, signedMetadata: false}]\n"
    (line,) = complain(
        entry.replace("URL", "http://x.invalid").replace("KEY", "/k"), head=with_target("signedMetadata: true")
    )
    assert "packageRepositories[0].url: expected an https URL, as signedMetadata is false, found plain http" in line
    acme.write_text(ACME)
    (line,) = complain(entry.replace("URL", "https://x.invalid").replace("KEY", "/k"))
    assert "packageRepositories[0].signedMetadata: expected true, as no deb is signed by itself, found false" in line
