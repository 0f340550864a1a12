"""apt in a root of its own, fed with a copy of the very metadata the solver has: the oracle."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from oic.ospackage.indexed import DebRepository

if TYPE_CHECKING:
    from pathlib import Path

    from oic.handover.packages import Index
    from oic.ospackage.store import Store

_URI = re.compile(r"^'\S+' (?P<name>[^_\s]+)_(?P<version>[^_\s]+)_\S+ \d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The packages apt would install, as ``name version``; or what it said instead."""

    packages: frozenset[str]
    refusal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Apt:
    """A private apt: its configuration replaces the host's."""

    root: Path

    def install(self, names: list[str]) -> Answer:
        """Ask for names. ``--print-uris`` decides as ``-s`` does, without then simulating dpkg for many seconds."""
        result = self.run("apt-get", "-qq", "--print-uris", "--no-install-recommends", "install", *names)
        found = (match for line in result.stdout.splitlines() if (match := _URI.match(line)))
        packages = frozenset(f"{match['name']} {unquote(match['version'])}" for match in found)
        refusal = result.stdout + result.stderr if result.returncode else ""
        return Answer(packages=frozenset() if refusal else packages, refusal=refusal)

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "APT_CONFIG": str(self.root / "apt.conf"), "LC_ALL": "C"}
        return subprocess.run(argv, env=env, capture_output=True, text=True, check=False)


def make_apt(root: Path, index: Index, store: Store) -> Apt:
    """Return an apt whose only sources are copies, in files, of what the index names."""
    for folder in ("etc", "state/lists/partial", "cache/archives/partial"):
        (root / folder).mkdir(parents=True)
    (root / "status").touch()
    lines = []
    for number, entry in enumerate(index.of(DebRepository)):
        base = root / f"repository{number}"
        dists = base / "dists" / entry.suite
        for part in entry.packages:
            place = dists / part.component / f"binary-{index.architecture}"
            place.mkdir(parents=True)
            (place / f"Packages.{part.compression}").write_bytes(store.read(part.sha256))
        (release,) = (one for one in entry.documents if one.name in ("InRelease", "Release"))
        (dists / release.name).write_bytes(store.read(release.sha256))
        lines.append(f"deb [trusted=yes by-hash=no] file:{base} {entry.suite} {' '.join(entry.components)}\n")
    (root / "etc/sources.list").write_text("".join(lines))
    (root / "apt.conf").write_text(
        f'Dir::State "{root}/state"; Dir::State::status "{root}/status"; Dir::Cache "{root}/cache";\n'
        f'Dir::Etc "{root}/etc"; Dir::Log "{root}"; APT::Sandbox::User "root"; Debug::NoLocking "1";\n'
        f'APT::Architecture "{index.architecture}"; APT::Architectures "";\n'
        'Acquire::Languages "none"; Acquire::Check-Valid-Until "false";\n'
    )
    apt = Apt(root=root)
    updated = apt.run("apt-get", "-q", "update")
    if updated.returncode or "Err:" in updated.stdout:
        raise AssertionError(updated.stdout + updated.stderr)
    apt.run("apt-cache", "gencaches")
    return apt
