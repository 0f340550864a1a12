"""apt accepts the eLxr stand-in as a repository, and eLxr's default packages resolve from it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .__main__ import default_place
from .editions import EDITIONS
from .elxr import KEY, make
from .fixtures import elxr

if TYPE_CHECKING:
    from .serve import Served

PROJECT = Path(__file__).parents[2]
DOIT = Path(sys.executable).with_name("doit")
pytestmark = pytest.mark.mirror
__all__ = ["elxr"]


def digests(tree: Path) -> dict[str, str]:
    """Return the sha256 of every file, except those of Debian's mirror."""
    own = [*tree.glob("dists/**/*"), *tree.glob("pool/main/e/*elxr*/*"), *tree.glob("*.gpg")]
    return {
        path.relative_to(tree).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in own
        if path.is_file()
    }


def test_the_same_debian_index_gives_the_same_bytes(tmp_path: Path) -> None:
    place = default_place() / "elxr"
    first = make(place).tree
    (tmp_path / "store").symlink_to(place / "store")
    second = make(tmp_path).tree
    assert first != second
    assert digests(first) == digests(second)
    assert len(digests(first)) >= 15


def test_incomplete_files_of_a_killed_run_are_created_again(tmp_path: Path) -> None:
    place = default_place() / "elxr"
    key = make(place).tree.parent.name
    (tmp_path / "store").symlink_to(place / "store")
    (tmp_path / "debian.json").write_text('{"format": 1, "repo')
    (tmp_path / key / "x.part/dists").mkdir(parents=True)
    assert (make(tmp_path).tree / "dists/aria/InRelease").exists()
    assert not (tmp_path / key / "x.part").exists()


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt-get")
@pytest.mark.parametrize("suite", ["aria", "bianca"])
def test_apt_accepts_it_as_a_signed_repository(elxr: Served, suite: str, tmp_path: Path) -> None:
    for folder in ("etc/apt.conf.d", "etc/preferences.d", "state/lists/partial", "cache/archives/partial"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "status").touch()
    (tmp_path / "etc/key.asc").write_bytes(KEY.read_bytes())
    edition = next(one for one in EDITIONS if one.suite == suite)
    source = f"deb [signed-by={tmp_path}/etc/key.asc] {elxr.url} {suite} {' '.join(edition.components)}\n"
    (tmp_path / "etc/sources.list").write_text(source)
    (tmp_path / "apt.conf").write_text(
        f'Dir::State "{tmp_path}/state"; Dir::State::status "{tmp_path}/status"; Dir::Cache "{tmp_path}/cache";\n'
        f'Dir::Etc "{tmp_path}/etc"; Dir::Log "{tmp_path}"; APT::Sandbox::User "root"; Debug::NoLocking "1";\n'
        f'APT::Architecture "amd64"; APT::Architectures ""; Acquire::Languages "none";\n'
        f'Acquire::https::CaInfo "{elxr.ca}"; Acquire::https::Proxy "DIRECT";\n'
    )
    env = {**os.environ, "APT_CONFIG": str(tmp_path / "apt.conf"), "LC_ALL": "C"}

    def apt(*words: str) -> str:
        done = subprocess.run(["apt-get", *words], env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert not re.search("^(W|E|Err|Ign)[: ]", done.stdout + done.stderr, re.MULTILINE)
        return done.stdout

    apt("update")
    apt("download", "elxr-archive-keyring", "uefi-ext4", "hostname")
    assert len(list(tmp_path.glob("*.deb"))) == 3
    would = apt("--simulate", "--no-install-recommends", "install", "linux-image-amd64", "elxr-archive-keyring")
    assert f"Inst elxr-archive-keyring (2024.1 stand-in for eLxr:{edition.version}/{suite} [all])" in would


class Image:
    """A shipped recipe of eLxr that uses the stand-in as its mirror, in its own directory."""

    def __init__(self, name: str, place: Path, elxr: Served) -> None:
        self.name, self.place, self.ca = name, place, str(elxr.ca)
        shutil.copytree(PROJECT / "recipes", place, ignore=shutil.ignore_patterns("*.lock.json"))
        recipe = place / f"{name}.yml"
        recipe.write_text(recipe.read_text().replace("imageType: raw", f"imageType: raw\n  mirror: {elxr.url}"))

    def doit(self, *words: str) -> str:
        argv = [str(DOIT), "-f", str(PROJECT / "dodo.py"), *words, f"image={self.place / self.name}.yml"]
        env = {**os.environ, "OIC_CA": self.ca}
        argv.append(f"cache={self.place / 'cache'}")
        done = subprocess.run(argv, cwd=self.place, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def json(self, name: str) -> Any:
        return json.loads((self.place / "cache" / self.name / name).read_text())


@pytest.mark.parametrize("name", ["elxr12-minimal", "elxr13-minimal"])
def test_the_default_packages_resolve_and_the_mirrors_key_signed_them(elxr: Served, name: str, tmp_path: Path) -> None:
    image = Image(name, tmp_path / "place", elxr)
    image.doit("solve")
    lock = image.json("lock.json")
    names = {package["name"] for package in lock["sets"]["image"]}
    assert {"uefi-ext4", "elxr-archive-keyring", "dracut", "systemd-boot", "openssh-server", "apt"} <= names
    assert all(package["url"].startswith(f"{elxr.url}/pool/") for package in lock["sets"]["image"])
    shown = ["gpg", "--batch", "--with-colons", "--show-keys", str(KEY)]
    listing = subprocess.run(shown, check=True, capture_output=True, text=True).stdout
    fingerprint = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr"))
    assert [repository["signers"] for repository in lock["repositories"]] == [[fingerprint]]


def test_a_mirror_with_an_unknown_authority_is_refused_in_one_line(elxr: Served, tmp_path: Path) -> None:
    image = Image("elxr12-minimal", tmp_path / "place", elxr)
    image.ca = ""
    with pytest.raises(AssertionError, match=r"metadata:elxr12-minimal failed: .*certificate.*OIC_CA") as caught:
        image.doit("metadata")
    assert "Traceback" not in str(caught.value)
