"""Globs match what the C library's fnmatch, which apt and dnf use, matches."""

from __future__ import annotations

import ctypes

import pytest

from oic.ospackage.globs import glob_matches

NAMES = ("lib", "lib1", "liba", "lib-", "libab", "lib12", "lib^", "lib!", "LIBA", "python3.12", "gtk+", "")
GLOBS = ("lib*", "lib?", "lib[0-9]", "lib[!0-9]", "lib[^0-9]", "lib[a-z0-9]*", "[^l]*", "lib[0-9", "lib[]", "lib^", "*")


@pytest.mark.parametrize("glob", GLOBS)
def test_a_glob_is_the_c_librarys(glob: str) -> None:
    theirs = [name for name in NAMES if ctypes.CDLL(None).fnmatch(glob.encode(), name.encode(), 0) == 0]
    assert [name for name in NAMES if glob_matches(name, glob)] == theirs
