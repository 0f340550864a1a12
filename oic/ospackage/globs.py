"""Globs in package names and versions, as apt and dnf take them: fnmatch(3), of which Python's lacks ``[^0-9]``."""

from __future__ import annotations

import fnmatch


def glob_matches(text: str, glob: str) -> bool:
    """Tell whether the glob (``*``, ``?``, ``[0-9]``; ``[!0-9]`` or ``[^0-9]``) matches the whole text."""
    return fnmatch.fnmatchcase(text, glob.replace("[^", "[!"))
