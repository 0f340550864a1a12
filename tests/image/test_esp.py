"""What is below the ESP's mount point, and how it comes merge_files with what the build puts there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.image.tree.esp import files_below, merge_files, write_files

if TYPE_CHECKING:
    from pathlib import Path


def test_files_are_found_by_their_paths_below_it_and_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "boot/efi/EFI/BOOT").mkdir(parents=True)
    (tmp_path / "boot/efi/EFI/BOOT/mmx64.efi").write_bytes(b"MokManager")
    (tmp_path / "boot/efi/EFI/secret").symlink_to("/etc/shadow")
    assert files_below(tmp_path, "/boot/efi") == {"EFI/BOOT/mmx64.efi": b"MokManager"}
    assert files_below(tmp_path, "/boot/elsewhere") == {}
    assert files_below(tmp_path, "") == {}


def test_a_file_of_the_build_replaces_a_packages_file_in_any_case() -> None:
    own = {"EFI/BOOT/BOOTX64.EFI": "manager", "loader/loader.conf": "own"}
    below = {"EFI/boot/bootx64.efi": "shim", "efi/Boot/mmx64.efi": "MokManager", "Loader/entries/a.conf": "entry"}
    assert merge_files(below, own) == {
        "EFI/BOOT/BOOTX64.EFI": "manager",
        "loader/loader.conf": "own",
        "EFI/BOOT/mmx64.efi": "MokManager",
        "loader/entries/a.conf": "entry",
    }


def test_a_directory_is_made_of_exactly_these_files(tmp_path: Path) -> None:
    place = tmp_path / "esp"
    write_files(place, {"a/b": b"1", "c": b"2"})
    write_files(place, {"c": b"3"})
    assert [path.name for path in place.rglob("*")] == ["c"]
    assert (place / "c").read_bytes() == b"3"
    write_files(place, {})
    assert not place.exists()
