"""Parses the output of commands in a booted machine, and compares it with what is expected. Pure.

The output is untrusted: text that cannot be parsed raises BootError.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.boottest.failure import BootError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_LISTED = 10
_MAX_QUOTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One line of /proc/self/mounts that has a block device (proc(5))."""

    target: str
    source: str
    fs_type: str
    options: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Facts about a booted machine; `host_keys` are the SHA256 fingerprints of its ssh host keys by algorithm."""

    kernel: str
    os_release: dict[str, str]
    mounts: tuple[Mount, ...]
    machine_id: str
    host_keys: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Facts):
    """A machine that booted as expected.

    `packages` is name → version as installed, `seconds_to_login` counts from the start of qemu, under emulation. With a
    `root_hash`, all of the root was read and is as that says.
    """

    packages: dict[str, str]
    failed_units: tuple[str, ...]
    users: tuple[str, ...]
    seconds_to_login: float
    root_hash: str = ""


def parse_os_release(text: str) -> dict[str, str]:
    """Return the assignments of an os-release file (os-release(5)), quotes removed."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}


def parse_packages(text: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the installed packages and the half-installed ones with their state.

    A line is name, version and, in the deb family, dpkg's three letters of state (dpkg-query(1), ``db:Status-Abbrev``),
    separated by tabs.
    """
    installed, broken = {}, []
    for line in text.splitlines():
        name, tab, rest = line.partition("\t")
        if not tab:
            raise BootError(f"expected a package's name and version, found {line[:_MAX_QUOTED]!r}")
        version, *state = rest.split("\t")
        letters = state[0].strip() if state else "ii"
        if letters[1:] == "i":  # the first letter is the desired state, a third one an error
            installed[name] = version
        elif letters[1:] not in {"n", "c"}:  # not installed, or only its configuration is left
            broken.append(f"{name} ({letters})")
    return installed, tuple(broken)


def package_differences(expected: Mapping[str, str], found: Mapping[str, str]) -> tuple[str, ...]:
    """Return descriptions of missing and unexpected packages and other versions; empty when both sets are equal.

    ``name:architecture`` on one side and ``name`` on the other are the same package.
    """
    wanted = _comparable(expected, found)
    there = _comparable(found, expected)
    missing = sorted(wanted.keys() - there.keys())
    unexpected = sorted(there.keys() - wanted.keys())
    other = sorted(name for name in wanted.keys() & there.keys() if wanted[name] != there[name])
    groups = {
        "missing": missing,
        "unexpected": unexpected,
        "of another version": [f"{name} {there[name]} (expected {wanted[name]})" for name in other],
    }
    return tuple(f"{len(names)} {kind}: {listing(names)}" for kind, names in groups.items() if names)


def _comparable(packages: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    bare = {name: name.partition(":")[0] for name in packages}
    return {
        bare[name] if name not in others and bare[name] in others else name: version
        for name, version in packages.items()
    }


def listing(names: Sequence[str]) -> str:
    """Return the first names, and the number of further ones."""
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return ", ".join(names[:MAX_LISTED]) + more


def parse_mounts(text: str) -> tuple[Mount, ...]:
    """Return the mounts of devices and of the root, in order; without proc, sysfs and the like."""
    fields = [line.split() for line in text.splitlines() if line.strip()]
    if odd := next((line for line in fields if len(line) < 4), None):
        raise BootError(f"expected a mount's source, target, type and options, found {' '.join(odd)[:_MAX_QUOTED]!r}")
    return tuple(
        Mount(source=source, target=target, fs_type=fs_type, options=options)
        for source, target, fs_type, options, *_ in fields
        if source.startswith("/") or target == "/"
    )


def parse_host_keys(text: str) -> dict[str, str]:
    """Return algorithm → SHA256 fingerprint of ``.pub`` lines, as ssh-keygen -l prints it."""
    keys = (line.split() for line in text.splitlines() if line.startswith(("ssh-", "ecdsa-")))
    return {algorithm: f"SHA256:{_fingerprint(''.join(words[:1]))}" for algorithm, *words in keys}


def _fingerprint(blob: str) -> str:
    try:
        key = base64.b64decode(blob, validate=True)
    except ValueError:
        raise BootError(f"expected an ssh host key in base64, found {blob[:_MAX_QUOTED]!r}") from None
    return base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def parse_failed_units(text: str) -> tuple[str, ...]:
    """Return the unit names of ``systemctl --failed --plain --no-legend``."""
    return tuple(line.split()[0] for line in text.splitlines() if line.strip())
