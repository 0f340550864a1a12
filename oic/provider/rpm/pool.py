"""All packages a set may be taken from: several repositories' metadata in one libsolv pool.

* libsolv reads verified bytes only, out of memory, and as dnf has it read them: see `_read_primary`.
* Packages of the architecture and ``noarch`` ones count, no others; of a repository with ``allowPackages`` those named.
* What a package's entry must be to be used is checked here: a name, version and location that are no trick, a size,
  and a checksum that the store can go by.
* Modular metadata is not read: the distributions supported have none.
"""

from __future__ import annotations

import functools
import os
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import solv

from oic.errors import TrustError
from oic.ospackage.globs import glob_matches
from oic.provider.rpm.repomd import safe_location
from oic.provider.rpm.version import EVR, NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CAPABILITY = re.compile(r"(?P<name>\S+)(?:\s+(?P<flags><=|>=|<|>|==?)\s+(?P<evr>\S+))?")
_FLAGS = {"<": solv.REL_LT, ">": solv.REL_GT, "=": solv.REL_EQ}
_IN_PRIMARY = re.compile("/etc/|/usr/lib/sendmail$|.*bin/", re.DOTALL)
"""The files that primary lists: createrepo's rule, and libsolv's."""
_BY_NAME = solv.Selection.SELECTION_NAME | solv.Selection.SELECTION_REL
_MOST_TOLD = 4
_MOST_NAME = 240
"""Of name, version and architecture: a file's name, limits.h(0p), is made of them."""
_MOST_SIZE = 2**40
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One repository: its plain primary.xml, its filelists.xml if needed, and how packages are taken from it."""

    name: str
    primary: bytes
    filelists: bytes | None = None
    priority: int = 0
    allowed: tuple[str, ...] = ()

    def allows(self, package: Any) -> bool:
        """Tell whether the package may be taken from here: by exact name, ``name-version`` prefix or glob."""
        if not self.allowed:
            return True
        full = f"{package.name}-{without_epoch(package.evr)}"
        return any(
            glob_matches(package.name, word)
            or glob_matches(full, word)
            or (word.startswith(f"{package.name}-") and re.match(rf"{re.escape(word)}(?![A-Za-z0-9])", full))
            for word in self.allowed
        )


class Packages:
    """A pool with the packages that count, by name, the best first: higher priority, then newer."""

    def __init__(self, sources: Sequence[Source], architecture: str) -> None:
        self.pool = solv.Pool()
        self.pool.setarch(architecture)
        # As dnf: a newer version that may not be taken makes an older one less welcome all the same.
        self.pool.set_flag(solv.Pool.POOL_FLAG_WHATPROVIDESWITHDISABLED, 1)
        self.architectures = (architecture, "noarch")
        self.by_name: dict[str, list[Any]] = {}
        self.words_of: dict[int, str] = {}
        self._not_taken: dict[str, list[Any]] = {}
        # As dnf: the best repository's first. Where it is a tie, what comes first decides.
        for source in sorted(sources, key=lambda source: -source.priority):
            self._add(source)
        self.pool.set_considered_list(list(self.words_of))
        self._tell_apart()
        self._file_words = self.pool.addfileprovides_queue()
        self.pool.createwhatprovides()
        for packages in self.by_name.values():
            packages.sort(key=functools.cmp_to_key(_better_first))

    def _add(self, source: Source) -> None:
        repository = self.pool.add_repo(source.name)
        repository.priority = source.priority
        _read_primary(repository, source.primary)
        if source.filelists is not None:
            _read(repository, source.filelists, "filelists", repository.REPO_EXTEND_SOLVABLES)
        for package in repository.solvables:
            if package.arch in self.architectures and source.allows(package):
                self.by_name.setdefault(package.name, []).append(package)
                self.words_of[package.id] = str(package)
            else:
                self._not_taken.setdefault(package.name, []).append(package)

    def _tell_apart(self) -> None:
        """Name the repository with packages that several of them have."""
        count = Counter(self.words_of.values())
        for number, words in self.words_of.items():
            if count[words] > 1:
                self.words_of[number] = f"{words} of {self.pool.id2solvable(number).repo.name}"

    def check(self) -> None:
        """Raise TrustError for the first package whose entry is not what it must be."""
        for packages in self.by_name.values():
            for package in packages:
                if problem := _problem(package):
                    hint = "createrepo_c --checksum sha256 writes them" if "sha256" in problem else None
                    raise TrustError(problem, where=package.repo.name, hint=hint)

    def unlisted_files(self) -> list[str]:
        """Return the paths in packages' dependencies that primary does not list: who has them only filelists tell."""
        return [path for path in map(self.pool.id2str, self._file_words) if not _IN_PRIMARY.match(path)]

    def providing(self, text: str) -> list[Any]:
        """Return the packages that provide ``name`` or ``name >= version``, or that the pool takes a path to be in."""
        return [package for package in self._whatprovides(text) if package.id in self.words_of]

    def left_out(self, text: str) -> str:
        """Return, in words, what provides ``name >= version`` and may not be taken, and why; or nothing."""
        found: dict[str, list[str]] = {}
        for package in {one.id: one for one in (*self._whatprovides(text), *self._not_taken.get(text, ()))}.values():
            if package.id not in self.words_of:
                here = package.arch in self.architectures
                why = f"left out by allowPackages of {package.repo.name}" if here else "of another architecture"
                found.setdefault(why, []).append(str(package))
        return "; ".join(f"{why}: {', '.join(packages[:_MOST_TOLD])}" for why, packages in found.items())

    def _whatprovides(self, text: str) -> list[Any]:
        match = _CAPABILITY.fullmatch(text)
        if not match:
            return []
        capability = self.pool.Dep(match["name"])
        if match["flags"]:
            flags = functools.reduce(int.__or__, (_FLAGS[sign] for sign in match["flags"]))
            capability = capability.Rel(flags, self.pool.Dep(match["evr"]))
        return list(self.pool.whatprovides(capability))

    def having(self, path: str) -> list[Any]:
        """Return the packages that are known to have a file: of many files only filelists tell."""
        if not path.startswith("/"):
            return []
        found = self.pool.select(path, solv.Selection.SELECTION_FILELIST).solvables()
        return [package for package in found if package.id in self.words_of]

    def replacing(self, package: Any) -> Iterator[Any]:
        """Yield the packages that say they replace this one, by its name: what it provides is not it."""
        for other, relation in self._obsoletes.get(package.name, ()):
            if any(found.id == package.id for found in self.pool.select(relation, _BY_NAME).solvables()):
                yield other

    @functools.cached_property
    def _obsoletes(self) -> dict[str, list[tuple[Any, str]]]:
        """Who obsoletes something of a name, and how: by that name."""
        found: dict[str, list[tuple[Any, str]]] = {}
        for package in map(self.pool.id2solvable, self.words_of):
            for relation in map(str, package.lookup_deparray(solv.SOLVABLE_OBSOLETES)):
                found.setdefault(relation.partition(" ")[0], []).append((package, relation))
        return found


def without_epoch(evr: str) -> str:
    """Return ``version-release``."""
    return evr.partition(":")[2] or evr


def location_of(package: Any) -> str:
    """Return the path of a package below its repository."""
    return str(package.lookup_location()[0] or "")


def _read_primary(repository: Any, document: bytes) -> None:
    """Read primary by way of libsolv's own format, as dnf does.

    There a package's dependencies are put in another order, and the solver goes by it: of several sets that are as
    good as each other it would find another one than dnf.
    """
    pool = solv.Pool()  # lives as long as this name: what is in it does not hold it
    apart = pool.add_repo(repository.name)
    _read(apart, document, "primary", 0)
    with os.fdopen(os.memfd_create("solv"), "wb") as file:
        for treat in (apart.write, repository.add_solv):
            file.seek(0)
            stream = solv.xfopen_fd("primary.solv", file.fileno())
            done = treat(stream)
            stream.close()
            if not done:
                raise TrustError(f"expected primary metadata, found {repository.pool.errstr}", where=repository.name)


def _read(repository: Any, document: bytes, kind: str, flags: int) -> None:
    with os.fdopen(os.memfd_create(kind), "wb") as file:
        file.write(document)
        file.flush()
        file.seek(0)
        stream = solv.xfopen_fd(f"{kind}.xml", file.fileno())
        whole = repository.add_rpmmd(stream, None, flags)
        stream.close()
    if not whole:
        raise TrustError(f"expected {kind} metadata, found damage: {repository.pool.errstr}", where=repository.name)


def _better_first(one: Any, two: Any) -> int:
    return int(two.repo.priority - one.repo.priority or two.evrcmp(one) or one.id - two.id)


def _problem(package: Any) -> str:
    """Return what is wrong with a package's entry, or nothing."""
    name = str(package)[:120]
    checksum = package.lookup_checksum(solv.SOLVABLE_CHECKSUM)
    if len(str(package)) > _MOST_NAME or not NAME.fullmatch(package.name) or not EVR.fullmatch(package.evr):
        return f"expected a package's name and version, found {name!r}"
    base = package.lookup_str(solv.SOLVABLE_MEDIABASE)  # xml:base: another place than the repository
    if base or not safe_location(location_of(package)):
        found = "/".join(filter(None, (base, location_of(package))))
        return f"expected {name} below the repository, found it at {found[:120]!r}"
    if not checksum or not _SHA256.fullmatch(str(checksum)):
        return f"expected a sha256 checksum of {name}, found {str(checksum)[:20]}"
    if not 0 < (size := package.lookup_num(solv.SOLVABLE_DOWNLOADSIZE)) <= _MOST_SIZE:
        return f"expected the size of {name}, found {size or 'none'}"
    return ""
