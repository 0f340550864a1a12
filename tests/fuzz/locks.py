"""The lock: as bytes, and as a good one with some of its values changed."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from fuzz.harness import Harness
from oic.ospackage.lock import FORMAT, Lock, LockedPackage, LockedRepository, parse_json, read_lock
from oic.ospackage.locked import AskedSet, Request
from oic.runs.solve import _changes, _oddity
from oic.values import Digest, to_json, to_plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

URL = "https://mirror.invalid/debian"
_OTHER = Request(architecture="arm64", recommends=True, sets={"tools": AskedSet(names=("b",), essential=False)})
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**40, 2**70, 1.5, float("nan")),
    *("", "a", "..", "/", "\0", "\n", "\x1b[2J", "\ud800", "x" * 5000, "%2e%2e/a", "0" * 64, "A" * 40),
    *("http://[", "file:///etc/passwd", f"{URL}/pool/a.deb", f"{URL}/../a", "https://mirror.invalid/debian?x#y"),
    *([], {}, [[]], [""], [None], {"": ""}, {"name": "a"}, [{"name": []}]),
)


def locked(packages: Sequence[LockedPackage], url: str = URL, name: str = "main") -> dict[str, Any]:
    """Return a lock of one repository, as a file has it."""
    repository = LockedRepository(
        name=name, url=url, suite="bookworm", components=("main",), signers=("A" * 40,), keys=(), trusted=False
    )
    sets = {"image": tuple(packages), "tools": ()}
    asked = Request(architecture="amd64", recommends=False, sets={"image": AskedSet(names=("a",), essential=True)})
    lock = Lock(request=Digest("0" * 64), asked=asked, repositories=(repository,), sets=sets)
    return {"format": FORMAT, **to_plain(lock)}


def expect_readable(packages: Sequence[LockedPackage], url: str) -> None:
    """Expect that a lock of what was solved is one that can be read."""
    expect_same(locked(packages, url))


def expect_same(data: Any) -> None:
    """Read a lock; raises SolveError. One that is accepted is the same when it is written and read again."""
    lock = read_lock(data)
    again = read_lock(parse_json(to_json({"format": FORMAT, **to_plain(lock)})))
    assert again == lock
    assert _oddity(lock, "deb", older=False) is not None
    _changes(lock.asked, _OTHER)


def seed() -> dict[str, Any]:
    """Return a good lock that has something in each of its fields."""
    package = {
        "name": "a",
        "version": "1",
        "architecture": "amd64",
        "repository": "main",
        "location": "pool/a.deb",
        "url": f"{URL}/pool/a.deb",
        "size": 1,
        "sha256": "0" * 64,
        "essential": True,
        "requested": ["a"],
        "requires": [{"kind": "Depends", "relation": "b (>= 1)", "package": "b"}],
    }
    data = locked([])
    document = {"url": f"{URL}/dists/bookworm/InRelease", "sha256": "1" * 64, "size": 2}
    data["sets"] = {"image": [package, {**package, "name": "b", "requires": []}], "tools": [package]}
    data["repositories"][0]["keys"] = [{**document, "url": f"{URL}/key.asc", "fingerprints": ["B" * 40]}]
    data["indexes"] = {"main": [{**document, "name": "InRelease"}]}
    return data


def _places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield way
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield from _places(below, (*way, key))


_SEED = seed()
_PLACES = [way for way in _places(_SEED) if way]


def _read_bytes(data: bytes) -> None:
    try:
        value = parse_json(data.decode("utf-8"))
    except ValueError:  # as the stage that reads it
        return
    expect_same(value)


def _read_changed(data: bytes) -> None:
    """Change a value for each three bytes: which, how, by which other."""
    lock = copy.deepcopy(_SEED)
    for at in range(0, min(len(data), 24) - 2, 3):
        _change(lock, _PLACES[data[at] % len(_PLACES)], data[at + 1], VALUES[data[at + 2] % len(VALUES)])
    expect_same(lock)


def _change(lock: Any, way: tuple[Any, ...], how: int, value: Any) -> None:
    *above, last = way
    for key in above:
        if not _has(lock, key):
            return
        lock = lock[key]
    if not _has(lock, last):
        return
    if how % 4 == 0:
        del lock[last]
    elif how % 4 == 1 and isinstance(lock, dict):
        lock[str(value)] = lock[last]
    elif how % 4 == 2 and isinstance(lock[last], str):
        lock[last] += str(value)
    else:
        lock[last] = copy.deepcopy(value)


def _has(value: Any, key: Any) -> bool:
    return (isinstance(value, dict) and key in value) or (isinstance(value, list) and key in range(len(value)))


HARNESSES = (
    Harness(name="lock-bytes", run=_read_bytes, seeds=lambda: [json.dumps(_SEED).encode(), b"[" * 3000], most=8192),
    Harness(name="lock-values", run=_read_changed, seeds=lambda: [b"", bytes(range(1, 25))], most=24),
)
