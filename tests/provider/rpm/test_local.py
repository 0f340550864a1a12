"""A list of packages made of package files says what createrepo_c's says."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import solv

from oic.errors import TrustError
from oic.provider.rpm.local import describe, listing
from oic.provider.rpm.packages import PackageSource
from oic.provider.rpm.pool import Packages
from oic.values import Digest

from .made import Made

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ("PROVIDES", "CONFLICTS", "OBSOLETES", "RECOMMENDS", "SUGGESTS", "SUPPLEMENTS", "ENHANCES")
TAGS = """Requires: a, b >= 1:2-3, c < 4, /usr/bin/hello, (d if e)
Requires(pre): f = 5
Requires(postun): g
Provides: h = 6, i(x86-64)
Conflicts: j <= 7-1
Obsoletes: k > 8
Recommends: l
Suggests: m
Supplements: (n and o)
Enhances: p"""
INSTALL = """mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/share/a
echo hello >%{buildroot}/usr/bin/hello
echo >'%{buildroot}/usr/share/a/<&> "'"""


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    rich = Made(
        name="rich",
        epoch=3,
        tags=TAGS,
        install=INSTALL,
        files="/usr/bin/hello\n%dir /usr/share/a\n/usr/share/a/*\n%ghost /var/log/a",
    )
    return [Made().make(tmp_path / "one"), rich.make(tmp_path / "two")]


def described(files: list[Path]) -> bytes:
    entries = []
    for path in files:
        data = path.read_bytes()
        found = describe(io.BytesIO(data), Digest(hashlib.sha256(data).hexdigest()), len(data), where=path.name)
        entries.append(found.entry)
    return listing(entries)


def facts_of(primary: bytes, filelists: bytes | None = None) -> dict[str, Any]:
    packages = Packages([PackageSource(name="made", primary=primary, filelists=filelists)], "x86_64")
    found = {}
    for package in (one for packages in packages.by_name.values() for one in packages):
        facts: dict[str, Any] = {
            kind: sorted(map(str, package.lookup_deparray(getattr(solv, f"SOLVABLE_{kind}")))) for kind in KINDS
        }
        for marker in (1, -1):
            facts[f"requires {marker}"] = sorted(map(str, package.lookup_deparray(solv.SOLVABLE_REQUIRES, marker)))
        search = solv.Dataiterator.SEARCH_FILES | solv.Dataiterator.SEARCH_COMPLETE_FILELIST
        facts["files"] = sorted(found.str for found in package.Dataiterator(solv.SOLVABLE_FILELIST, None, search))
        facts["sha256"] = str(package.lookup_checksum(solv.SOLVABLE_CHECKSUM))
        facts["size"] = package.lookup_num(solv.SOLVABLE_DOWNLOADSIZE)
        found[str(package)] = facts
    return found


def test_it_says_what_createrepo_c_says(files: list[Path], tmp_path: Path) -> None:
    place = tmp_path / "repository"
    place.mkdir()
    for path in files:
        shutil.copy(path, place)
    argv = ["createrepo_c", "-q", "--general-compress-type=gz", "--checksum=sha256", str(place)]
    subprocess.run(argv, check=True, capture_output=True)
    primary, filelists = (
        gzip.decompress(next((place / "repodata").glob(f"*{kind}.xml.gz")).read_bytes())
        for kind in ("primary", "filelists")
    )
    expected = facts_of(primary, filelists)
    assert len(expected) == 2
    assert expected["rich-3:1.0-1.noarch"]["requires 1"] == ["f = 5"]
    assert facts_of(described(files)) == expected


def test_its_locations_are_the_names_of_rpm_files(files: list[Path]) -> None:
    packages = Packages([PackageSource(name="made", primary=described(files))], "x86_64")
    found = {one.lookup_location()[0] for packages in packages.by_name.values() for one in packages}
    assert found == {"small-1.0-1.noarch.rpm", "rich-1.0-1.noarch.rpm"}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "expected an rpm package, found a file that does not begin with"),
        (b"!<arch>\ndebian-binary", "expected an rpm package, found a file that does not begin with"),
        (b"\xed\xab\xee\xdb" + b"\0" * 200, "expected a binary package's lead"),
    ],
)
def test_what_is_no_rpm_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(TrustError, match=words):
        describe(io.BytesIO(data), Digest("0" * 64), len(data), where="a.rpm")


def test_a_file_name_that_xml_cannot_hold_is_refused(tmp_path: Path) -> None:
    data = Made().make(tmp_path).read_bytes().replace(b"\0hello\0", b"\0hell\xe9\0")
    with pytest.raises(TrustError, match="expected names of printable UTF-8 in the header"):
        describe(io.BytesIO(data), Digest("0" * 64), len(data), where="a.rpm")
