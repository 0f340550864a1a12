"""Where the user's things are: the clone they stand in, the recipes found by name, the cache.

* In a clone of this project the cache is its ``cache/``, and the recipes of its ``recipes/`` are found by name.
* Elsewhere the cache is ``oic`` in ``$XDG_CACHE_HOME`` (``~/.cache``).
* ``cache=DIRECTORY`` on the command line names another one, and so does ``cache = "DIRECTORY"`` in the settings file.

The directories are those of https://specifications.freedesktop.org/basedir-spec/latest/.
"""

from __future__ import annotations

from pathlib import Path

from oic.errors import OicError
from oic.tasks import claim, settings

_CLONE = ("dodo.py", "oic/tasks/places.py")


def clone_around(directory: Path) -> Path | None:
    """Return the clone of this project that a directory is in, if any. Nothing in it is run."""
    for place in (directory, *directory.parents):
        if all((place / name).is_file() for name in _CLONE):
            return place
    return None


def cache_directory(given: str | None, stood_in: Path, clone: Path | None) -> Path:
    """Return the cache, made and closed to other users; raises OicError."""
    directory = _cache(given, stood_in, clone)
    try:
        claim.enter(directory)
    except OSError as error:
        message = f"cannot be made the cache: {error.strerror}"
        raise OicError(message, where=str(directory), hint="say cache=DIRECTORY for another one") from None
    return directory


def _cache(given: str | None, stood_in: Path, clone: Path | None) -> Path:
    if given is not None:
        if not given:
            raise OicError("expected cache=DIRECTORY, found cache= and nothing")
        return stood_in / Path(given).expanduser()
    if (wanted := settings.cache_setting()) is not None:
        return wanted
    return clone / "cache" if clone else settings.base_directory("XDG_CACHE_HOME", ".cache") / "oic"
