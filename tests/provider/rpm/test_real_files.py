"""The comparison of other people's files with rpm: that it counts, and that it tells a difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import real_files
from .keys import Key
from .made import Made

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def _files(place: Path) -> tuple[Path, Path]:
    """Return a directory of a signed package and one that is cut off, and a directory of its key."""
    key = Key(home=place / "home").make("rsa2048")
    files, keys = place / "files", place / "keys"
    signed = key.sign(Made(epoch=1).make(files)).read_bytes()
    (files / "cut.rpm").write_bytes(signed[:2000])
    for other in files.glob("*.spec"):
        other.unlink()
    keys.mkdir()
    (keys / "key.asc").write_bytes(key.public())
    (keys / "none.asc").write_bytes(b"nothing")
    return files, keys


def test_files_are_counted_and_compared_with_rpm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, keys = _files(tmp_path)
    assert real_files.main([str(files), str(keys)]) == 0
    lines = {line.strip() for line in capsys.readouterr().out.splitlines()}
    assert "1  accepted  (small.rpm)" in lines
    for what in ("digests", "name", "file list", "signatures, good here"):
        assert f"1  compared with rpm: {what}" in lines
    assert any("found a file cut off  [1 rpm does not read it]  (cut.rpm)" in line for line in lines)
    assert any("found none  (none.asc)" in line for line in lines)


def test_other_errors_of_rpm_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files, keys = _files(tmp_path)
    monkeypatch.setattr(real_files, "NAME", "%{NAME} is another\n")
    assert real_files.main([str(files), str(keys)]) == 1
    assert "DIFFERENT name: small.rpm: here 'small 1:1.0-1 noarch\\n', rpm 'small is" in capsys.readouterr().out
