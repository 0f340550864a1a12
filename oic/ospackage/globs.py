"""Globs for package names and versions as in apt and dnf: fnmatch(3). Python's fnmatch lacks ``[^0-9]``."""

from __future__ import annotations

import fnmatch


def glob_matches(text: str, glob: str) -> bool:
    """Tell whether the glob (``*``, ``?``, ``[0-9]``; ``[!0-9]`` or ``[^0-9]``) matches the whole text."""
    return fnmatch.fnmatchcase(text, glob.replace("[^", "[!"))
