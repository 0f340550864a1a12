"""Reading a package: its parts, whoever made it; one clear refusal of anything else."""

from __future__ import annotations

import contextlib
import io
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oic.errors import TrustError
from oic.provider.deb.archive import entries_of, read_deb, tar_of

from .hostile import COMPRESSIONS, CONTROL, ar, deb, entry, tar

if TYPE_CHECKING:
    from pathlib import Path

GOOD = deb(tar(entry("./usr/share/a", b"content")))


def _names(data: bytes) -> list[str]:
    file = io.BytesIO(data)
    found = read_deb(file, "a.deb")
    with tar_of(file, found.data, "a.deb") as opened:
        return [info.name for info in entries_of(opened, "a.deb")]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_reads_each_compression(compression: str) -> None:
    assert _names(deb(tar(entry("./usr/share/a", b"content")), compression=compression)) == ["./usr/share/a"]


@pytest.mark.parametrize("kind", ["gzip", "xz", "none"])
def test_reads_what_dpkg_deb_makes(kind: str, tmp_path: Path) -> None:
    source = tmp_path / "a"
    (source / "DEBIAN").mkdir(parents=True)
    (source / "DEBIAN/control").write_bytes(CONTROL)
    (source / "DEBIAN/postinst").write_text("#!/bin/sh\n")
    (source / "DEBIAN/postinst").chmod(0o755)
    (source / "etc").mkdir()
    argv = ["dpkg-deb", f"-Z{kind}", "-b", str(source), str(tmp_path / "a.deb")]
    subprocess.run(argv, check=True, capture_output=True)
    data = (tmp_path / "a.deb").read_bytes()
    found = read_deb(io.BytesIO(data), "a.deb")
    assert found.control["control"].content == CONTROL
    assert (found.control["postinst"].content, found.control["postinst"].mode) == (b"#!/bin/sh\n", 0o755)
    assert _names(data) == [".", "./etc"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "found a file that does not begin with !<arch>"),
        (b"\x00" * 4096, "found a file that does not begin with !<arch>"),
        (b"!<arch>\n", "found no control, data, debian-binary member"),
        (ar({"debian-binary": b"2.0\n"}), "found no control, data member"),
        (b"!<arch>\n" + b"x" * 60, "expected an ar member header at byte 8"),
        (GOOD[:-20], "expected an ar member header at byte"),
        (ar({"debian-binary": b"", "control.tar.gz": b"junk", "data.tar": b""}), "control.tar.gz cannot be decompr"),
        (ar({"debian-binary": b"", "control.tar.bz2": b"", "data.tar": b""}), "found control.tar.bz2"),
        (deb(b"", control=tar(entry("./postinst"))), "expected a control file in the package's control archive"),
        (deb(b"", compression=""), "data.tar cannot be read: damaged entry header: "),
        (deb(tar(entry("a", b"x" * 4096))[:2048], compression=""), "data.tar cannot be read: "),
        (deb(tar(entry("a"))[:512], compression=""), "data.tar cannot be read: damaged entry header"),
        (deb(tar(entry("a"))[:512] + b"junk" * 256, compression=""), "damaged entry header"),
        (deb(tar(entry("a")))[:-60] + b"\x00" * 60, "data.tar.xz cannot be decompressed as xz"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_package_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(TrustError) as raised:
        _names(data)
    assert str(raised.value).startswith("a.deb: ")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("compression", [".gz", ".xz", ".zst"])
@pytest.mark.parametrize("end", [b"", b"\0\0\0\0"], ids=["truncated", "extended"])
def test_a_member_is_read_to_the_end_of_its_compression(compression: str, end: bytes) -> None:
    """All its entries can be read all the same."""
    packed = COMPRESSIONS[compression](tar(entry("./a", b"content")))
    data = packed + end if end else packed[:-1]
    member = f"data.tar{compression}"
    control = COMPRESSIONS[compression](tar(entry("./control", CONTROL)))
    with pytest.raises(TrustError, match=f"{member} cannot be decompressed as {compression[1:]}"):
        _names(ar({"debian-binary": b"2.0\n", f"control.tar{compression}": control, member: data}))


@settings(max_examples=300, deadline=None)
@given(
    compression=st.sampled_from(sorted(COMPRESSIONS)),
    damage=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=4),
)
def test_damage_is_refused_or_harmless(compression: str, damage: list[tuple[int, int]]) -> None:
    data = bytearray(deb(tar(entry("./a", b"content"), entry("./b", linkname="a", type=b"2")), compression=compression))
    for place, value in damage:
        data[place % len(data)] = value
    with contextlib.suppress(TrustError):
        assert len(_names(bytes(data))) <= 2
