"""A lock that somebody edits by hand."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.bench import Bench


def edited(bench: Bench, change: Callable[[Any], object]) -> None:
    """Change what the kept lock says."""
    file = bench.place / "small.lock.json"
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data, indent=1))


def package(data: Any, name: str, of: str = "image") -> Any:
    return next(entry for entry in data["sets"][of] if entry["name"] == name)


def replaced(entry: Any, body: bytes) -> None:
    """Have an entry ask for another file under its name."""
    entry |= {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def with_key(data: Any, key: dict[str, Any], body: bytes, fingerprint: str) -> None:
    """Give the first repository this key file: with its fingerprint, where locks have them."""
    own = data["repositories"][0]["keys"]
    replaced(key, body)
    if "fingerprints" in own[0]:
        key["fingerprints"] = [fingerprint]
    if key not in own:
        own.append(key)


def older(data: Any) -> None:
    """Make it a lock of format 2."""
    data["format"] = 2
    del data["indexes"]
    for entry in data["repositories"]:
        for key in entry["keys"]:
            del key["fingerprints"]


def trust(bench: Bench, cache: str = "cache") -> tuple[set[str], str]:
    """Return the different verdicts on packages of the image, and by what these were locked."""
    found = json.loads((bench.place / cache / "small/trust.json").read_text())
    return set(found["verdicts"]["image"].values()), found["lockedBy"]
