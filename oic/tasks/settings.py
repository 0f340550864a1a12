"""Settings of the tool, and variables of recipes, from files.

The settings are ``oic/settings.toml`` in ``$XDG_CONFIG_HOME`` (``~/.config``); none of them is required:

* ``cache``, ``ca``: paths, relative to that file; ``proxy``: a URL; ``workers``: how many stages run at once.
* ``log_level``: how much is told, error, warning, info or debug.
* The environment comes before them (``OIC_CA``, ``https_proxy``, ``http_proxy``, ``OIC_WORKERS``, ``OIC_LOG_LEVEL``),
  the command line before both.

``vars=FILE`` names a YAML file of variables, ``name: value``; ``var.name=value`` beside it comes first.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oic import progress
from oic.config.source import read_bytes
from oic.config.trees import parse
from oic.errors import OicError
from oic.tasks.words import LOG_LEVELS, VARIABLE
from oic.values import parse_number

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = "oic/settings.toml"
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_MOST_WORKERS = 256
_EXPECTED = {
    "cache": 'a directory such as cache = "/big/oic"',
    "ca": 'a file such as ca = "/etc/ssl/our-ca.pem"',
    "proxy": 'an http(s) URL such as proxy = "http://proxy.example:3128"',
    "workers": "a number from 1 to 256 such as workers = 4",
    "log_level": f'one of {", ".join(LOG_LEVELS)} such as log_level = "warning"',
}


def base_directory(variable: str, below_home: str) -> Path:
    """Return a base directory of the user; the specification has relative ones ignored."""
    named = os.environ.get(variable, "")
    return Path(named) if named.startswith("/") else Path.home() / below_home


def cache_setting() -> Path | None:
    """Return the cache that the settings file names; raises OicError for a file with a mistake."""
    file, settings = _settings()
    return file.parent / Path(settings["cache"]).expanduser() if "cache" in settings else None


def apply(given: Mapping[str, str]) -> None:
    """Give the environment what the settings file says and the environment does not; raises OicError.

    Of the words of the command line, ``log_level=`` comes before both.
    """
    file, settings = _settings()
    if "ca" in settings:
        os.environ.setdefault("OIC_CA", str(file.parent / Path(settings["ca"]).expanduser()))
    for name in ("https_proxy", "http_proxy"):
        if "proxy" in settings and not {name, name.upper()} & os.environ.keys():
            os.environ[name] = settings["proxy"]
            os.environ["OIC_PROXY_FILE"] = str(file)
    if "workers" in settings:
        os.environ.setdefault("OIC_WORKERS", str(settings["workers"]))
    level = given.get("log_level") or os.environ.get("OIC_LOG_LEVEL") or settings.get("log_level", "info")
    if level not in LOG_LEVELS:
        raise OicError(f"expected one of {', '.join(LOG_LEVELS)}, found '{level}'", where="OIC_LOG_LEVEL")
    progress.set_level(LOG_LEVELS.index(level))


def workers() -> int:
    """Return how many stages run at once: one for each core, unless it is set; raises OicError."""
    text = os.environ.get("OIC_WORKERS", "")
    if not text:
        return len(os.sched_getaffinity(0))
    number = parse_number(text)
    if not number or number > _MOST_WORKERS:
        raise OicError(f"expected a number from 1 to {_MOST_WORKERS}, found '{text}'", where="OIC_WORKERS")
    return number


def with_variables(given: Mapping[str, str], stood_in: Path) -> dict[str, str]:
    """Return the words of a command line with the variables of the file that ``vars=`` names below them."""
    if "vars" not in given:
        return dict(given)
    tree = parse(read_bytes(stood_in / given["vars"]), stood_in / given["vars"])
    values = {}
    for name, node in tree.entries.items():
        if not re.fullmatch(_NAME, name) or not isinstance(node.value, str):
            raise OicError(node.said("expected variables as name: value, of a text or a number each, found another"))
        values[f"{VARIABLE}{name}"] = node.value
    return {**values, **given}


def _settings() -> tuple[Path, dict[str, Any]]:
    """Return the settings file and what it says."""
    file = base_directory("XDG_CONFIG_HOME", ".config") / _FILE
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return file, {}
    except OSError as error:
        raise OicError(f"expected settings that can be read, found: {error.strerror}", where=str(file)) from None
    except ValueError as error:  # UnicodeDecodeError and TOMLDecodeError are such
        raise OicError(f'expected TOML such as cache = "/big/oic", found: {error}', where=str(file)) from None
    if unknown := sorted(settings.keys() - _EXPECTED):
        known = ", ".join(_EXPECTED)
        raise OicError(f"expected the settings {known} and no other, found {', '.join(unknown)}", where=str(file))
    for name, value in settings.items():
        if not _is_right(name, value):
            raise OicError(f"expected {_EXPECTED[name]}, found something else", where=str(file))
    return file, settings


def _is_right(name: str, value: object) -> bool:
    if name == "workers":
        return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_WORKERS
    if name == "log_level":
        return value in LOG_LEVELS
    return isinstance(value, str) and bool(value) and (name != "proxy" or value.startswith(("http://", "https://")))
