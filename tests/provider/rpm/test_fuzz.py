"""Packages damaged at random: whatever comes of it, it is a refusal or the package, in bounded time and memory."""

from __future__ import annotations

import contextlib
import io
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oic.chroot import namespace
from oic.errors import TrustError
from oic.provider.compression import decompressed
from oic.provider.rpm.contents import plain_payload
from oic.provider.rpm.header import read_rpm
from oic.provider.rpm.package import files_of, nevra_of
from oic.provider.rpm.payload import members_of
from oic.provider.rpm.signature import signatures_of
from oic.provider.rpm.tags import Sig, Tag
from oic.provider.rpm.unpack import unpack

from .keys import Key
from .made import PAYLOADS, Made, locked, needs_rpm
from .surgery import binary, package

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.ospackage.lock import LockedPackage

INSTALL = """\
cd %{buildroot}; mkdir -p usr/d/deep; echo one >usr/d/one; ln usr/d/one usr/d/two; ln -s one usr/d/link; echo 2 >usr/d/2
"""
MOST = 1 << 22


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Return real packages, one for each compressor, signed."""
    needs_rpm()
    place = tmp_path_factory.mktemp("seeds")
    keys = [Key(home=place / algorithm).make(algorithm) for algorithm in ("rsa2048", "ed25519")]
    made = []
    for number, payload in enumerate(PAYLOADS.values()):
        file = Made(name=f"seed{number}", install=INSTALL, files="/usr/d", payload=payload).make(place)
        made.append(keys[number % 2].sign(file, "--rpmv3").read_bytes())
    return made


def _read(data: bytes) -> int:
    """Read all that there is of a package; return how much its payload has."""
    file = io.BytesIO(data)
    rpm = read_rpm(file, "a package")
    signatures_of(rpm.signature)
    nevra_of(rpm.header)
    size = 0
    for member in members_of(plain_payload(file, rpm), files_of(rpm.header), "a package"):
        size += sum(len(chunk) for chunk in member.chunks())
        assert size < MOST
    return size


EDITS = st.lists(
    st.tuples(
        st.integers(0, 1 << 20), st.sampled_from(["set", "insert", "delete", "copy"]), st.binary(min_size=1, max_size=8)
    ),
    min_size=1,
    max_size=6,
)


def _edited(data: bytes, edits: list[tuple[int, str, bytes]], begin: int = 0) -> bytes:
    changed = bytearray(data)
    for where, kind, new in edits:
        at = begin + where % max(1, len(changed) - begin)
        if kind == "set":
            changed[at : at + len(new)] = new
        elif kind == "insert":
            changed[at:at] = new
        elif kind == "delete":
            del changed[at : at + len(new)]
        else:
            changed[at:at] = changed[at // 2 : at // 2 + 16 * len(new)]
    return bytes(changed)


@given(number=st.integers(0, 5), edits=EDITS)
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_package_is_refused(seeds: list[bytes], number: int, edits: list[tuple[int, str, bytes]]) -> None:
    with contextlib.suppress(TrustError):
        _read(_edited(seeds[number], edits))


FILES = (("/usr/a", b"content", 0o100644), ("/usr/b", b"a", 0o120777), ("/usr/d", b"", 0o040755))


@given(edits=EDITS, tag=st.sampled_from(list(Tag)), word=st.binary(max_size=40), number=st.integers(0, 1 << 34))
@settings(max_examples=600, deadline=None)
def test_a_well_formed_header_with_wrong_values_is_refused_or_read(
    edits: list[tuple[int, str, bytes]], tag: Tag, word: bytes, number: int
) -> None:
    """Behind what random damage gets through: every length and offset is right, what is told is not."""
    parts = package(*FILES)
    if tag is Tag.REGION:
        return
    if value := parts.header.get(tag):
        data = _edited(value.data, edits)[: len(value.data)].ljust(len(value.data), b"\0")
        data = data if value.kind in (3, 4) else data[:-1].replace(b"\0\0", b"x") + b"\0"
        parts.header[tag] = type(value)(kind=value.kind, count=value.count, data=data)
    else:
        parts.header[tag] = binary(word or number.to_bytes(5, "big"))
    with contextlib.suppress(TrustError):
        _read(parts.bytes())


@given(edits=EDITS, tag=st.sampled_from([Sig.RSA, Sig.DSA, Sig.PGP, Sig.GPG]), number=st.integers(0, 5))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_signature_is_refused(
    seeds: list[bytes], edits: list[tuple[int, str, bytes]], tag: Sig, number: int
) -> None:
    signed = read_rpm(io.BytesIO(seeds[number]), "whole").signature
    packet = signed.binary(Sig.RSA) or signed.binary(Sig.DSA)
    parts = package()
    parts.signature[tag] = binary(_edited(packet, edits, 0) or b"\0")
    header = read_rpm(io.BytesIO(parts.bytes()), "damaged").signature
    with contextlib.suppress(TrustError):
        assert len(signatures_of(header)) == 1


@given(edits=EDITS)
@settings(max_examples=600, deadline=None)
def test_a_damaged_archive_is_refused(edits: list[tuple[int, str, bytes]]) -> None:
    good = package(*FILES)
    rpm = read_rpm(io.BytesIO(good.bytes()), "good")
    plain = decompressed(good.payload, "gz", 1 << 20, where="good")
    with contextlib.suppress(TrustError):
        for member in members_of(io.BytesIO(_edited(plain, edits)), files_of(rpm.header), "damaged"):
            assert sum(len(chunk) for chunk in member.chunks()) <= 7


def _unpack_all(members: Sequence[tuple[LockedPackage, Path]], place: Path) -> int:
    """Unpack each in a root of its own; return how many were refused."""
    refused = 0
    for number, member in enumerate(members):
        root = place / f"{number}" / "root"
        root.mkdir(parents=True)
        try:
            unpack([member], root, jobs=1)
        except TrustError:
            refused += 1
        beside = [path.name for path in root.parent.iterdir()]
        assert beside == ["root"]
    return refused


def test_a_damaged_package_writes_nothing_outside_the_root(seeds: list[bytes], tmp_path: Path) -> None:
    chance = random.Random(1)
    entry = locked_file(tmp_path, seeds[0])
    members = []
    for number in range(60):
        data = bytearray(seeds[5])  # the one whose payload is not compressed
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data))
            data[at : at + 2] = chance.choice([b"..", b"/.", b"//", b"\0\0", b"\xff\xff", b"\n/"])
        file = tmp_path / f"{number}.rpm"
        file.write_bytes(data)
        members.append((entry, file))
    trees = tmp_path / "trees"
    refused = namespace.call(_unpack_all, members, trees, writes=[tmp_path])
    assert 0 < refused < len(members)


def locked_file(place: Path, data: bytes) -> LockedPackage:
    (place / "good.rpm").write_bytes(data)
    return locked(place / "good.rpm")
