"""Where the user's things are: the clone they stand in, the recipes found by name, the cache, the settings file.

* In a clone of this project the cache is its ``cache/``, and the recipes of its ``recipes/`` are found by name.
* Elsewhere the cache is ``oic`` in ``$XDG_CACHE_HOME`` (``~/.cache``).
* ``cache=DIRECTORY`` on the command line names another one, and so does ``cache = "DIRECTORY"`` in the settings file,
  ``oic/settings.toml`` in ``$XDG_CONFIG_HOME`` (``~/.config``).

The directories are those of https://specifications.freedesktop.org/basedir-spec/latest/.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from oic.errors import OicError
from oic.tasks import claim

_CLONE = ("dodo.py", "oic/tasks/places.py")
_SETTINGS = "settings.toml"


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
        return stood_in / given
    if (wanted := _setting()) is not None:
        return wanted
    return clone / "cache" if clone else _base("XDG_CACHE_HOME", ".cache") / "oic"


def _base(variable: str, below_home: str) -> Path:
    """Return a base directory; the specification has relative ones ignored."""
    named = os.environ.get(variable, "")
    return Path(named) if named.startswith("/") else Path.home() / below_home


def _setting() -> Path | None:
    """Return the cache that the settings file names; raises OicError for a file that says anything else."""
    file = _base("XDG_CONFIG_HOME", ".config") / "oic" / _SETTINGS
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise OicError(f"expected settings that can be read, found: {error.strerror}", where=str(file)) from None
    except ValueError as error:  # UnicodeDecodeError and TOMLDecodeError are such
        raise OicError(f'expected TOML such as cache = "/big/oic", found: {error}', where=str(file)) from None
    if unknown := sorted(settings.keys() - {"cache"}):
        raise OicError(f"expected the setting cache and no other, found {', '.join(unknown)}", where=str(file))
    cache = settings.get("cache")
    if cache is None:
        return None
    if not isinstance(cache, str) or not cache:
        raise OicError('expected a directory such as cache = "/big/oic", found something else', where=str(file))
    return file.parent / Path(cache).expanduser()
