"""Images held against binutils; the stub is one that its linker made, or systemd's own from the mirror."""

import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oic.errors import OicError
from oic.image.boot.systemd_boot import uki_name
from oic.image.boot.uki import assemble_uki, section_names, ukify_argv

from .host import output

SECTIONS = [
    (".osrel", b"ID=debian\n"),
    (".linux", bytes(range(256)) * 1000),
    (".uname", b"6.1.0"),
    (".initrd", b"\x1f\x8b" + bytes(1000)),
    (".cmdline", b"console=ttyS0"),
]
ORDER = [".osrel", ".uname", ".initrd", ".cmdline", ".linux"]


def _table(image: Path) -> dict[str, tuple[int, int, int]]:
    """Return size, address and file offset of each section as objdump reads them."""
    rows = re.findall(r"^ *\d+ (\S+) +(\w+)  (\w+)  \w+  (\w+)", output("objdump", "-h", image), re.MULTILINE)
    base = _header(image, "ImageBase")
    return {name: (int(size, 16), int(address, 16) - base, int(offset, 16)) for name, size, address, offset in rows}


def _header(image: Path, name: str) -> int:
    return int(re.findall(rf"^{name}\s+(\w+)", output("objdump", "-p", image), re.MULTILINE)[0], 16)


def _assert_sound(stub: Path, made: Path) -> None:
    before, after = _table(stub), _table(made)
    assert [*after] == [*before, *ORDER]
    assert {name: after[name] for name in before} == before
    alignment = _header(stub, "SectionAlignment")
    ends = 0
    for name in ORDER:
        size, address, _ = after[name]
        assert address % max(alignment, 4096) == 0
        assert address >= ends
        ends = address + size
    assert ends <= _header(made, "SizeOfImage") < ends + alignment
    for name, content in SECTIONS:
        dumped = made.with_suffix(".dump")
        output("objcopy", "-O", "binary", f"--dump-section={name}={dumped}", made, made.with_suffix(".copy"))
        assert dumped.read_bytes()[: len(content)] == content
        assert not dumped.read_bytes()[len(content) :].strip(b"\0")
    flags = output("objdump", "-h", made).split(".linux")[1]
    assert "CODE" in flags


def test_binutils_read_what_was_appended(linked: Path, tmp_path: Path) -> None:
    made = tmp_path / "uki.efi"
    made.write_bytes(assemble_uki(linked.read_bytes(), SECTIONS))
    _assert_sound(linked, made)
    assert _header(made, "SizeOfInitializedData") == _header(linked, "SizeOfInitializedData") + sum(
        -(-len(content) // 512) * 512 for _, content in SECTIONS
    )


@pytest.mark.mirror
def test_systemds_stub_takes_all_sections(systemds: Path, tmp_path: Path) -> None:
    made = tmp_path / "uki.efi"
    made.write_bytes(assemble_uki(systemds.read_bytes(), SECTIONS))
    _assert_sound(systemds, made)
    assert ".sbat" in section_names(made.read_bytes())


def test_the_checksum_is_the_linkers(linked: Path, tmp_path: Path) -> None:
    """The linker summed the same file up to its alignment's padding, which counts by its length alone."""
    plain = assemble_uki(linked.read_bytes(), [])
    (tmp_path / "plain").write_bytes(plain)
    padding = len(plain) - linked.stat().st_size
    assert _header(tmp_path / "plain", "CheckSum") == _header(linked, "CheckSum") + padding


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=2000))
def test_the_checksum_is_the_specifications(linked: Path, content: bytes) -> None:
    made = assemble_uki(linked.read_bytes(), [(".cmdline", content)])
    (pe,) = struct.unpack_from("<I", made, 0x3C)
    total = 0
    for at in range(0, len(made), 2):
        if at not in {pe + 88, pe + 90}:
            total += made[at] | made[at + 1] << 8
            total = (total & 0xFFFF) + (total >> 16)
    assert struct.unpack_from("<I", made, pe + 88)[0] == total + len(made)


def test_a_kernel_gets_the_memory_its_header_asks_for(linked: Path, tmp_path: Path) -> None:
    kernel = bytearray(linked.read_bytes())
    (pe,) = struct.unpack_from("<I", kernel, 0x3C)
    struct.pack_into("<I", kernel, pe + 24 + 56, 0x123000)
    made = tmp_path / "uki.efi"
    made.write_bytes(assemble_uki(linked.read_bytes(), [(".linux", bytes(kernel))]))
    assert _header(made, "SizeOfImage") >= _table(made)[".linux"][1] + 0x123000


def test_the_same_sections_give_the_same_bytes(linked: Path) -> None:
    assert assemble_uki(linked.read_bytes(), SECTIONS) == assemble_uki(linked.read_bytes(), SECTIONS)


@pytest.mark.parametrize(
    ("change", "sections", "message"),
    [
        (lambda _: b"MZ" + bytes(1000), [], "expected a PE32+ image as the stub, found something else"),
        (lambda _: b"", [], "expected a PE32+ image as the stub, found one that is truncated in its headers"),
        (
            lambda stub: stub[:400],
            [],
            "expected a PE32+ image as the stub, found one that is truncated in its section table",
        ),
        (
            lambda stub: stub.replace(b"\0\x10\0\0\0\2\0\0", b"\0\x10\0\0\0\0\0\xff"),  # FileAlignment
            [],
            "expected a PE32+ image as the stub, found something else",
        ),
        (lambda stub: stub, [(".sbat", b"")], "cannot add section '.sbat': expected at most 8 bytes, and none of"),
        (lambda stub: stub, [(".x", b""), (".x", b"")], "cannot add section '.x'"),
        (lambda stub: stub, [(".toolongname", b"")], "cannot add section '.toolongname'"),
        (
            lambda stub: stub,
            [(f".s{n}", b"") for n in range(20)],
            "more sections, needs 20 (use another stub, or ukify)",
        ),
    ],
)
def test_what_cannot_be_assembled_is_refused_in_words(
    linked: Path, change: Callable[[bytes], bytes], sections: list[tuple[str, bytes]], message: str
) -> None:
    with pytest.raises(OicError, match=re.escape(message)):
        assemble_uki(change(linked.read_bytes()), sections)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_stub_is_refused_or_taken_but_never_a_crash(linked: Path, data: st.DataObject) -> None:
    stub = bytearray(linked.read_bytes())
    for at in data.draw(st.lists(st.integers(0, 700), max_size=8)):
        stub[at] = data.draw(st.integers(0, 255))
    stub = stub[: data.draw(st.integers(0, len(stub)))]
    try:
        assemble_uki(bytes(stub), [(".cmdline", b"quiet")])
    except OicError:
        return


def test_ukify_is_asked_for_the_same_image() -> None:
    argv = ukify_argv(
        stub=Path("/s"), kernel=Path("/k"), initrds=[Path("/i"), Path("/j")], cmdline=Path("/c"), os_release=Path("/o"),
        uname="6.12", output=Path("/u"),
    )  # fmt: skip
    assert argv == [
        "ukify", "build", "--stub=/s", "--linux=/k", "--initrd=/i", "--initrd=/j", "--cmdline=@/c", "--os-release=@/o",
        "--uname=6.12", "--output=/u",
    ]  # fmt: skip


def test_a_uki_is_not_named_as_an_entry_of_systemd_boots_own() -> None:
    assert [uki_name(name) for name in ("auto-1.0.0", "Auto-1", "automatic-1.0.0", "edge-1.0.0")] == [
        "image-auto-1.0.0",
        "image-Auto-1",
        "automatic-1.0.0",
        "edge-1.0.0",
    ]
