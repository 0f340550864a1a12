"""Files written aside and renamed last; JSON in one canonical form; digests.

* No interrupted write leaves anything with a final name.
* Two equal values give equal bytes: keys sorted, no timestamps, one newline at the end.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oic.values import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator


def to_plain(value: Any) -> Any:
    """Return dataclasses, tuples and paths as what JSON knows: dicts, lists and strings."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def to_json(value: Any) -> str:
    """Return the canonical text of a value: sorted keys, one space of indent, a final newline."""
    return json.dumps(to_plain(value), sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def digest_of(value: Any) -> Digest:
    """Return the sha256 of a value's canonical JSON."""
    return Digest(hashlib.sha256(to_json(value).encode()).hexdigest())


def digest_of_file(path: Path) -> Digest:
    """Return the sha256 of a file's content; raises OSError."""
    with path.open("rb") as file:
        return Digest(hashlib.file_digest(file, "sha256").hexdigest())


@contextlib.contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; rename it to `path` on success, delete it on failure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(descriptor)
    aside = Path(name)
    try:
        yield aside
        aside.chmod(0o644)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a value's canonical JSON atomically."""
    write_text(path, to_json(value))


def read_json(path: Path) -> Any:
    """Read a JSON file; raises OSError or ValueError."""
    return json.loads(path.read_text(encoding="utf-8"))
