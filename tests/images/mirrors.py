"""What is served to a template: the stand-in of its distribution, and the repositories that it names beside it."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from standin.__main__ import default_place
from standin.catalogue import KEYS
from standin.editions import EDITIONS
from standin.elxr import Repo, sign_edition
from standin.elxr import make as make_elxr
from standin.publish import DISTRIBUTIONS, make
from standin.vendor import KEY, make_debs, make_rpms, publish_rpms, publish_suite, stanzas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from standin.vendor import Made

    from oic.config.repository import Repository

OWN = "own"
"""The directory of the distribution's own repository."""


class NoMirrorError(Exception):
    """A distribution whose repositories cannot be reached, and that has no stand-in."""


@dataclass(kw_only=True)
class Mirror:
    """A directory to serve; `target` are lines for a recipe's ``target``."""

    dist: str
    tree: Path
    target: Sequence[str] = ()
    prepare: Callable[[Path], None] | None = None
    folders: dict[str, str] = field(default_factory=dict)

    def folder_of(self, place: str) -> str:
        """Return the directory of the repository that a template has at a URL or path."""
        return self.folders.setdefault(place.rstrip("/"), f"vendor{len(self.folders) + 1}")

    def publish(
        self, repositories: Iterable[Repository], chosen: Mapping[str, Sequence[Made]], kernel: Path | None
    ) -> None:
        """Write each repository with the packages chosen for it by name, empty for the distribution's own."""
        if self.dist in RPM:
            self._publish_rpms(repositories, chosen)
        else:
            self._publish_debs(repositories, chosen, kernel)
        shutil.copyfile(KEYS / f"{KEY}.pub.asc", self.tree / "key.asc")

    def _publish_rpms(self, repositories: Iterable[Repository], chosen: Mapping[str, Sequence[Made]]) -> None:
        work, standin = self.tree.parent / f"{self.tree.name}.made", default_place()
        for entry in repositories:
            files = make_rpms(chosen.get(entry.name, ()), work / entry.name, self.dist, standin)
            publish_rpms(self.tree / entry.url.rpartition("/")[2], list(files.values()))
        if own := chosen.get(""):
            files = make_rpms(own, work / OWN, self.dist, standin)
            signed = RPM[self.dist].signed_metadata
            publish_rpms(self.tree / OWN, list(files.values()), self.dist, signed_metadata=signed)

    def _publish_debs(
        self, repositories: Iterable[Repository], chosen: Mapping[str, Sequence[Made]], kernel: Path | None
    ) -> None:
        work = self.tree.parent / f"{self.tree.name}.made"
        suites: defaultdict[tuple[str, str], defaultdict[str, list[Path]]]
        suites = defaultdict(lambda: defaultdict(list))
        for entry in repositories:
            files = list(make_debs(chosen.get(entry.name, ()), work / entry.name, kernel).values())
            components = suites[entry.url.rpartition("/")[2], entry.suite]
            for number, component in enumerate(entry.components or ("main",)):
                components[component] += [] if number else files
        for (folder, suite), found in suites.items():
            publish_suite(self.tree / folder, suite, found)
        if own := chosen.get(""):
            self._extend(list(make_debs(own, work / OWN, kernel).values()))

    def _extend(self, files: Sequence[Path]) -> None:
        """Add packages to the stand-in of eLxr."""
        edition, tree = ELXR[self.dist], self.tree / OWN
        index = tree / edition.index("main")
        text = gzip.decompress(index.read_bytes()) + stanzas(files, tree / "pool/main/made", "pool/main/made")
        index.write_bytes(gzip.compress(text, compresslevel=1, mtime=0))
        sign_edition(tree, edition, datetime.now(UTC))


RPM = {distribution.name: distribution for distribution in DISTRIBUTIONS}
ELXR = {f"elxr{edition.version.partition('.')[0]}": edition for edition in EDITIONS}
OF_HOST = ("debian12", "debian13")
"""Distributions whose mirror is the host's."""


def mirror_of(dist: str, tree: Path) -> Mirror:
    """Write the stand-in of a distribution below `tree`; raises NoMirrorError without one."""
    shutil.rmtree(tree, ignore_errors=True)
    shutil.rmtree(tree.parent / f"{tree.name}.made", ignore_errors=True)
    tree.mkdir(parents=True)
    own = tree / OWN
    if dist in OF_HOST:
        return Mirror(dist=dist, tree=tree)
    if dist in RPM:
        make(default_place())
        shutil.copytree(default_place() / "tree" / RPM[dist].path, own, copy_function=_linked)
        keys = ["mirrorKeys: ['{url}/own/repodata/repomd.xml.key']"]
        return Mirror(dist=dist, tree=tree, target=["mirror: '{url}/own'", *keys])
    if dist in ELXR:
        repo = make_elxr(default_place() / "elxr")
        shutil.copytree(repo.tree, own, copy_function=_linked)
        copy = Repo(tree=own, store=repo.store, mirror=repo.mirror, packages=repo.packages)
        keys = [f"mirrorKeys: ['{{url}}/own/{ELXR[dist].key}']"]
        return Mirror(dist=dist, tree=tree, target=["mirror: '{url}/own'", *keys], prepare=copy.prepare)
    raise NoMirrorError(f"no stand-in for {dist}, whose own repositories cannot be reached")


def _linked(source: str, target: str) -> None:
    """Link packages, which nobody changes, and copy the rest."""
    if source.endswith((".deb", ".rpm")):
        with contextlib.suppress(OSError):  # another file system
            os.link(source, target)
            return
    shutil.copyfile(source, target)
