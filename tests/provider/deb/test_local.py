"""A list of packages made of package files says what apt-ftparchive's says."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from oic.errors import TrustError
from oic.provider.deb.local import describe, listing
from oic.provider.deb.packages import PackagesIndex
from oic.values import Digest

from .hostile import deb, entry, tar

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("rich", "plain")
RICH = """Package: rich
Version: 1:2.0~rc1-3
Architecture: amd64
Multi-Arch: same
Essential: yes
Priority: required
Maintainer: A <a@example.org>
Pre-Depends: a (>= 1), b | c:any
Depends: d (<< 2),
 e [amd64] | f (= 3)
Recommends: g
Conflicts: h
Breaks: i (<= 4)
Replaces: i
Provides: j (= 5), k
Description: rich
 more than a line
"""
PLAIN = "Package: plain\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: plain\n"
BUILT = tar(entry("./usr/share/a", b"content"))


def made(control: str) -> bytes:
    return deb(BUILT, tar(entry("./control", control.encode())))


def described(*files: bytes) -> bytes:
    found = [
        describe(io.BytesIO(data), Digest(hashlib.sha256(data).hexdigest()), len(data), where="a.deb") for data in files
    ]
    return listing([one.entry for one in found])


def facts_of(text: bytes) -> list[dict[str, Any]]:
    index = PackagesIndex("made", "amd64")
    index.add(text)
    packages = [package for name in NAMES for package in index.packages(name)]
    return [
        {one.name: getattr(package, one.name) for one in fields(package) if one.name != "location"}
        for package in packages
    ]


@pytest.mark.skipif(shutil.which("apt-ftparchive") is None, reason="needs apt-ftparchive: install apt-utils")
def test_it_says_what_apt_ftparchive_says(tmp_path: Path) -> None:
    files = made(RICH), made(PLAIN)
    for number, data in enumerate(files):
        (tmp_path / f"{number}.deb").write_bytes(data)
    done = subprocess.run(["apt-ftparchive", "packages", "."], cwd=tmp_path, check=True, capture_output=True)
    expected = facts_of(done.stdout)
    assert [facts["version"] for facts in expected] == ["1:2.0~rc1-3", "1"]
    assert facts_of(described(*files)) == expected


@pytest.mark.parametrize(
    ("control", "words"),
    [
        (PLAIN.replace("plain", "../../plain"), "expected a valid Package field"),
        (PLAIN.replace("Version: 1", "Version: 1/../../2"), "expected a valid Version field"),
        (PLAIN.replace("Version: 1\n", ""), "expected the field Version"),
        (PLAIN + "Filename: /etc/passwd\nSize: 1\n", None),
        (PLAIN + "Package: other\n", "expected the field 'Package' once"),
        (PLAIN + "Depends: (\n", "relation"),
        (PLAIN.replace("all", "all\n\nPackage: other"), "a blank line"),
    ],
)
def test_a_control_file_adds_nothing_to_the_list_but_its_package(control: str, words: str | None) -> None:
    if words:
        with pytest.raises(TrustError, match=words):
            described(made(control))
    else:
        (facts,) = facts_of(described(made(control)))
        assert facts["size"] == len(made(control))
