"""FAT images held against fsck.vfat and read back by mtools."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from oic.errors import OicError, ToolError
from oic.files import digest_of_file
from oic.image.fs.fat import _content, make_fat
from oic.values import Bytes

from .host import HostTools, output

EPOCH = 1_700_000_000
KERNEL = bytes(range(256)) * 20_000
FILES: dict[str, Path | bytes] = {
    "loader/loader.conf": b"timeout 3\n",
    "/EFI/BOOT/BOOTX64.EFI": b"first",
    "EFI/Linux/a long name-1.0 + more.efi": KERNEL,
    "EFI/empty": b"",
}


def _make(
    image: Path,
    files: Mapping[str, Path | bytes] = FILES,
    size: int = 100 << 20,
    label: str = "ESP",
    epoch: int = EPOCH,
    volume_id: int = 0x1A2B3C4D,
) -> Path:
    make_fat(image, size=Bytes(size), volume_id=volume_id, label=label, epoch=epoch, files=files, tools=HostTools())
    return image


@pytest.mark.parametrize(("size", "kind"), [(100, "FAT32"), (512, "FAT32"), (16, "FAT16")])
def test_fsck_has_no_complaint_and_the_kind_fits_the_size(tmp_path: Path, size: int, kind: str) -> None:
    image = _make(tmp_path / "image", size=size << 20)
    said = output("fsck.vfat", "-n", "-v", image)
    assert not re.search(r"differ|wrong|error|corrupt|dirty|mismatch", said, re.IGNORECASE), said
    raw = image.read_bytes()
    assert raw[82:87] == b"FAT32" if kind == "FAT32" else raw[54:59] == b"FAT16"
    assert image.stat().st_size == size << 20
    assert image.stat().st_blocks * 512 < 16 << 20


@pytest.mark.parametrize(("kind", "size"), [("fat16", 9), ("fat16", 512), ("fat12", 8), ("fat12", 255)])
def test_a_kind_that_is_named_is_made(tmp_path: Path, kind: str, size: int) -> None:
    image = tmp_path / "image"
    files: dict[str, Path | bytes] = {"a": b"content"}
    make_fat(
        image, kind=kind, size=Bytes(size << 20), volume_id=1, label="", epoch=EPOCH, files=files, tools=HostTools()
    )
    with image.open("rb") as file:
        assert file.read(62)[54:59].decode() == kind.upper()
    assert "differ" not in output("fsck.vfat", "-n", image)


def test_content_comes_out_as_it_went_in(tmp_path: Path) -> None:
    source = tmp_path / "kernel"
    source.write_bytes(KERNEL)
    image = _make(tmp_path / "image", {**FILES, "vmlinuz": source})
    output("mcopy", "-s", "-i", image, "::/", tmp_path / "out")
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    found = {str(path.relative_to(tmp_path / "out")): path.read_bytes() for path in files}
    assert found == {"vmlinuz": KERNEL, **{name.lstrip("/"): content for name, content in FILES.items()}}


def test_directories_may_be_empty(tmp_path: Path) -> None:
    image, size, files = tmp_path / "image", Bytes(64 << 20), {"in/file": b"content"}
    directories = ["up/load", "up", "in"]
    make_fat(
        image, size=size, volume_id=1, label="", epoch=EPOCH, files=files, directories=directories, tools=HostTools()
    )
    assert sorted(output("mdir", "-b", "-/", "-a", "-i", image, "::/").split()) == [
        "::/in/",
        "::/in/file",
        "::/up/",
        "::/up/load/",
    ]


def test_label_volume_id_and_times_are_as_asked(tmp_path: Path) -> None:
    said = output("mdir", "-i", _make(tmp_path / "image"), "-/", "::")
    assert "Volume in drive : is ESP" in said
    assert "Volume Serial Number is 1A2B-3C4D" in said
    assert {*re.findall(r"\d{4}-\d\d-\d\d +\d+:\d\d", said)} == {"2023-11-14  22:13"}


def test_a_label_in_lower_case_stays_so(tmp_path: Path) -> None:
    image = _make(tmp_path / "image", label="esp data")
    assert "LABEL=esp data" in output("blkid", "-p", "-o", "export", image).replace("\\", "")
    assert "differ" not in output("fsck.vfat", "-n", image)


@pytest.mark.parametrize("size", [16, 100])
def test_the_label_is_as_old_as_the_rest(tmp_path: Path, size: int) -> None:
    raw = _make(tmp_path / "image", size=size << 20).read_bytes()
    label = raw[raw.index(b"ESP        \x08") :][:32]
    file = raw[raw.index(b"EFI        \x10") :][:32]
    assert (label[14:20], label[22:26]) == (file[14:20], file[22:26])


def test_the_same_content_gives_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = digest_of_file(_make(tmp_path / "one"))
    late = tmp_path / "late"
    late.write_bytes(KERNEL)
    os.utime(late, (1, 1))
    late.chmod(0o400)
    shuffled = {name: FILES[name] for name in reversed(FILES)} | {"EFI/Linux/a long name-1.0 + more.efi": late}
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert digest_of_file(_make(tmp_path / "elsewhere" / "two", shuffled)) == wanted
    assert digest_of_file(_make(tmp_path / "three", epoch=EPOCH + 60)) != wanted


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"EFI/a:b": b""}, "/EFI/a:b: FAT cannot hold the name 'a:b'"),
        ({"x.": b""}, "/x.: FAT cannot hold the name 'x.'"),
        ({"../x": b""}, "/..: FAT cannot hold the name '..'"),
        ({"EFI/x": b"", "efi/X": b""}, "FAT cannot hold /efi beside /EFI: they are the same name to FAT"),
        ({"a": b"", "a/b": b""}, "FAT cannot hold /a beside /a: they are the same name to FAT"),
        (
            {"big": bytes(17 << 20)},
            "the files do not fit the FAT file system: needs about 18 MiB, has 16 MiB (raise the partition's size)",
        ),
    ],
)
def test_what_fat_cannot_hold_is_refused_in_words(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    with pytest.raises(OicError) as caught:
        _make(tmp_path / "image", files, size=16 << 20)
    assert str(caught.value) == message
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("label", ["TWELVE CHARS", "A/B*", "GRÖSSE"])
def test_a_label_fat_cannot_hold_is_refused(tmp_path: Path, label: str) -> None:
    with pytest.raises(OicError, match="a FAT label has at most 11 characters"):
        _make(tmp_path / "image", label=label)


def test_a_missing_source_and_a_failing_tool_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        _make(tmp_path / "image", {"x": tmp_path / "none"})
    with pytest.raises(ToolError):
        _make(tmp_path / "image", {}, volume_id=1 << 32)
    assert not [*tmp_path.iterdir()]


def test_fat_gets_empty_directories_too_and_refuses_what_it_cannot_hold(tmp_path: Path) -> None:
    (tmp_path / "upload").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in/file").touch()
    files, directories = _content(tmp_path, "/mnt")
    assert files == {"in/file": tmp_path / "in/file"}
    assert sorted(directories) == ["in", "upload"]
    (tmp_path / "in/link").symlink_to("file")
    with pytest.raises(OicError, match="found another kind: /mnt/in/link"):
        _content(tmp_path, "/mnt")
