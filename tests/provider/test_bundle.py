"""Package files in archives: what tar and zip make is read; what leads out, blows up or is no file is refused."""

from __future__ import annotations

import gzip
import io
import random
import resource
import stat
import subprocess
import tarfile
import zipfile
from typing import IO, TYPE_CHECKING

import pytest

import oic.provider.bundle
from oic.errors import TrustError
from oic.provider.bundle import read_package_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOISE = random.Random(1).randbytes(300_000)


def found_in(path: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}

    def read(member: str, content: IO[bytes]) -> None:
        found[member] = content.read()

    read_package_files(path, ".deb", read, kind="".join(path.suffixes), where=path.name)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    below = tmp_path / "debs" / "below" / ("long" * 20)
    below.mkdir(parents=True)
    (below / "b.deb").write_bytes(NOISE)
    (tmp_path / "debs/a.deb").write_bytes(b"a")
    (tmp_path / "debs/README").write_text("read me")
    (tmp_path / "debs/link").symlink_to("README")
    return tmp_path


@pytest.mark.parametrize("kind", ["gnu", "pax", "ustar"])
@pytest.mark.parametrize(("name", "flag"), [("a.tar", "-c"), ("a.tar.gz", "-cz"), ("a.tgz", "-cz")])
def test_an_archive_of_tar_is_read(folder: Path, kind: str, name: str, flag: str) -> None:
    argv = ["tar", flag, f"--format={kind}", "-f", name, "debs"]
    subprocess.run(argv, cwd=folder, check=True, capture_output=True)
    assert sorted(found_in(folder / name).values(), key=len) == [b"a", NOISE]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_archive_is_read(folder: Path, method: int) -> None:
    with zipfile.ZipFile(folder / "a.zip", "w", method) as archive:
        for path in sorted((folder / "debs").rglob("*")):
            archive.write(path, path.relative_to(folder))
    assert sorted(found_in(folder / "a.zip").values(), key=len) == [b"a", NOISE]


def tar_with(name: str, content: bytes = b"x", **fields: object) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in fields.items():
        setattr(info, key, value)
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def zip_with(
    name: str, mode: int = 0, change: Callable[[bytes], bytes] = bytes, method: int = zipfile.ZIP_STORED
) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        info.compress_type = method
        archive.writestr(info, b"content")
    return change(file.getvalue())


GOOD = tar_with("a.deb", NOISE)
LINK = {"type": tarfile.SYMTYPE, "linkname": "/etc/shadow", "size": 0}


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.tar", tar_with("../a.deb"), "expected paths below the archive's root, found '../a.deb'"),
        ("a.tar", tar_with("/etc/a"), "expected paths below the archive's root, found '/etc/a'"),
        ("a.tar", tar_with("a/../../b"), "expected paths below the archive's root"),
        ("a.tar", tar_with("a.deb", b"", **LINK), "expected a regular file, found a link: 'a.deb'"),
        ("a.tar", tar_with("a.deb", b"", **{**LINK, "type": tarfile.LNKTYPE}), "found a link"),
        ("a.tar", tar_with("a.deb", b"", type=tarfile.FIFOTYPE), "found a pipe or device"),
        ("a.tar", tar_with("a.deb", b"", type=tarfile.CHRTYPE), "found a pipe or device"),
        (
            "a.tar",
            tar_with("a.deb", b"", type=tarfile.GNUTYPE_SPARSE),
            "expected a regular file, found a sparse file|damage",
        ),
        ("a.tar", tar_with("\x1b[31m/../a.deb"), r"found '\\x1b\[31m/../a.deb'"),
        ("a.tar", GOOD[:200_000], "expected a tar archive, found damage"),
        ("a.tar", b"hello" * 200, "expected a tar archive, found damage"),
        ("a.tar", tar_with("a.deb", pax_headers={"comment": "x" * 100_000}), "damage"),
        ("a.tgz", gzip.compress(GOOD)[:-9], "cannot be decompressed as gz"),
        ("a.tgz", GOOD, "cannot be decompressed as gz"),
        ("a.zip", b"PK" * 100, "expected a zip archive, found damage"),
        ("a.zip", zip_with("../a.deb"), "expected paths below the archive's root"),
        ("a.zip", zip_with("..\\a.deb"), "expected paths below the archive's root"),
        ("a.zip", zip_with("a.deb", stat.S_IFLNK | 0o777), "expected a regular file, found a link: 'a.deb'"),
        ("a.zip", zip_with("a.deb", stat.S_IFIFO | 0o777), "found a pipe or device"),
        ("a.zip", zip_with("a.deb", change=lambda data: data.replace(b"content", b"contend")), "damage: Bad CRC-32"),
        (
            "a.zip",
            zip_with("a.deb", method=zipfile.ZIP_LZMA),
            "expected a file that is stored or deflated, found method 14",
        ),
        (
            "a.zip",
            zip_with("a.deb", change=lambda data: data.replace(b"PK\1\2\x14\3\x14\0\0\0", b"PK\1\2\x14\3\x14\0\1\0")),
            "found it encrypted",
        ),
    ],
)
def test_a_hostile_archive_is_refused_in_a_line(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(TrustError, match=words) as caught:
        found_in(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_bomb_is_refused_before_it_takes_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oic.provider.bundle, "package_limit", lambda size: 50 * size)
    bomb = tmp_path / "bomb.tgz"
    with tarfile.open(bomb, "w:gz", compresslevel=9) as archive:
        info = tarfile.TarInfo("a.deb")
        info.size = 1 << 26
        archive.addfile(info, _Zeros())  # type: ignore[arg-type]  # read is all that it needs

    def drop(_member: str, content: IO[bytes]) -> None:
        while content.read(1 << 20):
            pass

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TrustError, match="expected the archive to decompress to at most"):
        read_package_files(bomb, ".deb", drop, kind=".tgz", where=bomb.name)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 << 10
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        for number in range(20):
            zipped.writestr(f"{number}.deb", bytes(1 << 20))
    with pytest.raises(TrustError, match=r"expected an archive of at most \d+ bytes of content, found more"):
        found_in(tmp_path / "bomb.zip")


def test_an_archive_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oic.provider.bundle, "_MAX_ENTRIES", 3)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(4):
            archive.writestr(f"{number}.txt", b"")
    with pytest.raises(TrustError, match="at most 3 files"):
        found_in(tmp_path / "a.zip")


class _Zeros:
    """A file of zeros without an end."""

    def read(self, size: int) -> bytes:
        return bytes(size)
