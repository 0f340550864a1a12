"""Mutated repository metadata: it is read or refused as untrustworthy; nothing else ever comes, and it ends."""

from __future__ import annotations

import contextlib
import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oic.errors import SolveError, TrustError
from oic.provider.compression import SUPPORTED, decompressed
from oic.provider.rpm.markup import parse_markup, refuse_markup
from oic.provider.rpm.packages import PackageSource
from oic.provider.rpm.pool import Packages
from oic.provider.rpm.repomd import parse_repomd, safe_location
from oic.provider.rpm.solve import select_packages
from oic.provider.rpm.specs import resolve_specs

from .repodata import COMPRESSED, data_of, documents_of, repomd_of

PACKAGES = [
    "foo-1-1",
    {
        "nevra": "app-1:2-1.noarch",
        "requires": ["foo >= 1", "(foo if bar else baz)", "/usr/bin/tool"],
        "pre": ["foo"],
        "recommends": ["x"],
        "supplements": ["(app and foo)"],
    },
    {"nevra": "tool-1-1", "files": ["/usr/bin/tool", "/opt/x"], "obsoletes": ["old < 2"], "conflicts": ["bad"]},
]
PRIMARY, FILELISTS = (documents_of(PACKAGES)[kind] for kind in ("primary", "filelists"))
REPOMD = repomd_of(
    "".join(data_of(kind, f"repodata/{kind}.xml", PRIMARY, PRIMARY, 5) for kind in ("primary", "filelists")), 1000
).encode()

TOKENS = [
    *("<", ">", '"', "/", "&amp;", "(", ")", "(a or", "(a with b)", "~", "é", "\xff", "", "é" * 300),
    *("0", "-1", "99999999999999999999", "1:2:3", "1-2-3", "../..", "/etc", "//", "%2e%2e/", "http://other/"),
    *("md5", "sha256", "EQ", "src", "noarch", "rpmlib(X)", "primary_db", "filelists"),
    *("<file>/a</file>", "<version/>", '<package type="rpm">', "</package>", "<!DOCTYPE a>"),
]
SOME = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
VALUE = re.compile(rb'(?<==")[^"]*(?=")|(?<=>)[^<>]+(?=<)')


@st.composite
def mutated(draw: st.DrawFn, document: bytes) -> bytes:
    """Replace values, which leaves XML well-formed mostly; cut, repeat and overwrite bytes, which does not."""
    for _ in range(draw(st.integers(0, 4))):
        token = draw(st.sampled_from(TOKENS) | st.text(max_size=4)).encode()
        values = [match.span() for match in VALUE.finditer(document)]
        how = draw(st.sampled_from(["value", "value", "value", "insert", "cut", "repeat"]))
        start = draw(st.integers(0, len(document)))
        end = min(len(document), start + draw(st.integers(0, 200)))
        if how == "value" and values:
            start, end = draw(st.sampled_from(values))
            document = document[:start] + token + document[end:]
        elif how == "insert":
            document = document[:start] + token + document[start:]
        elif how == "cut":
            document = document[:start] + document[end:]
        else:
            document = document[:end] + document[start:]
    return document


@SOME
@given(mutated(REPOMD))
def test_repomd_is_read_or_refused(document: bytes) -> None:
    with contextlib.suppress(TrustError):
        read = parse_repomd(document, where="here")
        assert all(safe_location(file.location) for file in read.files.values())
        assert all(file.size <= 2**30 and file.plain_size <= 2**30 for file in read.files.values())


@SOME
@given(mutated(PRIMARY), mutated(FILELISTS))
def test_primary_is_read_or_refused_and_can_be_solved_with(primary: bytes, filelists: bytes) -> None:
    with contextlib.suppress(TrustError, SolveError):
        refuse_markup(primary, root="metadata", where="here")
        packages = Packages([PackageSource(name="fuzz", primary=primary, filelists=filelists)], "x86_64")
        packages.bad_entries()
        packages.unlisted_files()
        for word in ("app", "/opt/x", "*", "tool-1"):
            specs, unknown = resolve_specs(packages, [word])
            select_packages(packages, specs, recommends=True, unknown=unknown)


@SOME
@given(st.binary(max_size=200) | mutated(b'<a b="c">d<e/></a>'))
def test_any_bytes_are_markup_or_refused(document: bytes) -> None:
    with contextlib.suppress(TrustError):
        parse_markup(document, where="here")


@SOME
@given(st.data(), st.sampled_from(SUPPORTED))
def test_damaged_compression_is_refused_and_stays_small(data: st.DataObject, compression: str) -> None:
    packed = COMPRESSED[compression](PRIMARY)
    damaged = data.draw(mutated(packed))
    with contextlib.suppress(TrustError):
        assert len(decompressed(damaged, compression, len(PRIMARY), where="here")) <= len(PRIMARY)
    assert decompressed(packed, compression, len(PRIMARY), where="here") == PRIMARY


def test_a_small_file_does_not_unpack_to_a_large_one() -> None:
    for compression in filter(None, SUPPORTED):
        bomb = COMPRESSED[compression](bytes(50_000_000))
        with contextlib.suppress(TrustError):
            decompressed(bomb, compression, 1000, where="here")
            raise AssertionError(compression)
