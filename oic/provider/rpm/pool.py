"""All packages that a set may contain: the metadata of several repositories in one libsolv pool.

* libsolv reads verified bytes from memory, in the way in which dnf makes it read them: see `oic.provider.rpm.packages`.
* A package is excluded from the pool if it has another architecture and is not ``noarch``, if ``allowPackages`` of its
  repository does not name it, or if its entry is bad (`oic.provider.rpm.entry`); `bad_entries` lists the last.
* Modular metadata are not read, because no supported distribution has any.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import solv

from oic.errors import TrustError
from oic.provider.rpm.entry import printable_name, problem_of
from oic.provider.rpm.packages import PackageSource, is_named, read_document, read_primary
from oic.provider.rpm.version import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_CAPABILITY = re.compile(r"(?P<name>\S+)(?:\s+(?P<flags><=|>=|<|>|==?)\s+(?P<evr>\S+))?")
_FLAGS = {"<": solv.REL_LT, ">": solv.REL_GT, "=": solv.REL_EQ}
_IN_PRIMARY = re.compile("/etc/|/usr/lib/sendmail$|.*bin/", re.DOTALL)
"""The files that primary lists, by the rule of createrepo and libsolv."""
_BY_NAME = solv.Selection.SELECTION_NAME | solv.Selection.SELECTION_REL
_MAX_TOLD = 4


class Packages:
    """A pool of the packages that may be chosen, by name, the best first: by priority, then by version."""

    def __init__(self, sources: Sequence[PackageSource], architecture: str) -> None:
        self.pool = solv.Pool()
        self.pool.setarch(architecture)
        # As with dnf: an older version is less preferred even when the newer one is excluded.
        self.pool.set_flag(solv.Pool.POOL_FLAG_WHATPROVIDESWITHDISABLED, 1)
        self.architectures = (architecture, "noarch")
        self.by_name: dict[str, list[Any]] = {}
        self.name_of: dict[int, str] = {}
        self._not_taken: dict[str, list[Any]] = {}
        self._why: dict[int, str] = {}
        self._bad: dict[str, list[Any]] = {}
        self._bad_names: dict[str, Any] = {}
        self._good: Counter[str] = Counter()
        self._groups = {source.name: source.group for source in sources}
        # As with dnf: the best repository's first. Between equal packages, the first one wins.
        for source in sorted(sources, key=lambda source: -source.priority):
            self._add(source)
        self.pool.set_considered_list(list(self.name_of))
        self._add_repository_names()
        self._file_words = self.pool.addfileprovides_queue()
        self.pool.createwhatprovides()
        self._exclude_replacements()
        for packages in self.by_name.values():
            packages.sort(key=functools.cmp_to_key(_better_first))

    def _add(self, source: PackageSource) -> None:
        repository = self.pool.add_repo(source.name)
        repository.priority = source.priority
        read_primary(repository, source.primary)
        if source.filelists is not None:
            read_document(repository, source.filelists, "filelists", repository.REPO_EXTEND_SOLVABLES)
        for package in repository.solvables:
            if why := self._why_not(package, source):
                self._exclude(package, why)
            else:
                self.by_name.setdefault(package.name, []).append(package)
                self.name_of[package.id] = str(package)
                self._good[source.name] += 1

    def _why_not(self, package: Any, source: PackageSource) -> str:
        """Return why a package is excluded; empty when it is not."""
        if package.arch not in self.architectures:
            return "of another architecture"
        if not source.allows(package):
            return f"excluded by allowPackages of {source.name}"
        if problem := problem_of(package):
            self._bad.setdefault(source.name, []).append(package)
            return f"its entry in {source.name} cannot be used, {problem}"
        return ""

    def _exclude(self, package: Any, why: str) -> None:
        self._not_taken.setdefault(package.name, []).append(package)
        self._why[package.id] = why

    def _exclude_replacements(self) -> None:
        """Exclude packages that would replace a bad entry and come from a repository of lower priority."""
        before = len(self.name_of)
        for bad in (package for packages in self._bad.values() for package in packages if NAME.fullmatch(package.name)):
            self._bad_names.setdefault(bad.name, bad)  # the one with the highest priority comes first
        for name, bad in self._bad_names.items():
            for other in self.pool.whatprovides(self.pool.Dep(name)):
                if other.id in self.name_of and other.repo.priority < bad.repo.priority:
                    del self.name_of[other.id]
                    self._exclude(other, f"the entry of {printable_name(bad)} in {bad.repo.name} cannot be used")
        if len(self.name_of) < before:
            kept = {name: [one for one in found if one.id in self.name_of] for name, found in self.by_name.items()}
            self.by_name = {name: found for name, found in kept.items() if found}
            self.pool.set_considered_list(list(self.name_of))

    def _add_repository_names(self) -> None:
        """Add the repository to the names of packages that several repositories have."""
        count = Counter(self.name_of.values())
        for number, words in self.name_of.items():
            if count[words] > 1:
                self.name_of[number] = f"{words} of {self.pool.id2solvable(number).repo.name}"

    @property
    def is_mixed(self) -> bool:
        """Tell whether there are repositories besides the distribution's own."""
        return len(set(self._groups.values())) > 1

    def nearer(self, package: Any, parent: Any, relation: str) -> Any | None:
        """Return the newest version in the parent's group of repositories that satisfies the relation.

        None where the package itself is from there, or where the group has no such version of the same priority.
        """
        group = self._groups[parent.repo.name]
        if self._groups[package.repo.name] == group:
            return None
        found = [
            other
            for other in self.providing(relation)
            if other.name == package.name
            and self._groups[other.repo.name] == group
            and other.repo.priority == package.repo.priority
        ]
        return min(found, key=functools.cmp_to_key(_better_first), default=None)

    def fix(self, versions: Mapping[str, Any]) -> None:
        """Have the solver choose these versions of these names, and any of the others."""
        every = (one for one in self.name_of if self.pool.id2solvable(one).name not in versions)
        self.pool.set_considered_list([*every, *(package.id for package in versions.values())])

    def missing(self, source: PackageSource) -> list[str]:
        """Return what of the allowed packages of a repository it does not have."""
        own = [one for one in self.pool.solvables if one.repo.name == source.name] if source.allowed else []
        return [word for word in source.allowed if not any(is_named(word, package) for package in own)]

    def bad_entries(self) -> list[str]:
        """Return a line for each repository with bad entries; raises TrustError when one has no good entry."""
        lines = []
        for name, packages in self._bad.items():
            problems = [problem_of(package) for package in packages[:_MAX_TOLD]]
            if not self._good[name]:
                more = f"; none of its {len(packages)} packages can be used" if len(packages) > 1 else ""
                hint = "createrepo_c --checksum sha256 writes them" if "sha256" in problems[0] else None
                raise TrustError(f"{problems[0]}{more}", where=name, hint=hint)
            more = f"; and {len(packages) - _MAX_TOLD} more" if len(packages) > _MAX_TOLD else ""
            of_all = f"{len(packages)} of {len(packages) + self._good[name]} packages"
            lines.append(f"{name}: {of_all} cannot be used: {'; '.join(problems)}{more}")
        return lines

    def is_bad(self, name: str) -> bool:
        """Tell whether all packages of this name have bad entries."""
        return name in self._bad_names and name not in self.by_name

    def unlisted_files(self) -> list[str]:
        """Return the paths in dependencies that primary does not list; which package has them is only in filelists."""
        return [path for path in map(self.pool.id2str, self._file_words) if not _IN_PRIMARY.match(path)]

    def providing(self, text: str) -> list[Any]:
        """Return the packages that provide ``name`` or ``name >= version``, or are known to contain a path."""
        return [package for package in self._whatprovides(text) if package.id in self.name_of]

    def excluded(self, text: str) -> str:
        """Return, in words, which excluded packages provide ``name >= version``, and why; empty when none do."""
        found: dict[str, list[str]] = {}
        for package in {one.id: one for one in (*self._whatprovides(text), *self._not_taken.get(text, ()))}.values():
            if package.id not in self.name_of:
                found.setdefault(self._why[package.id], []).append(printable_name(package))
        return "; ".join(f"{why}: {', '.join(packages[:_MAX_TOLD])}" for why, packages in found.items())

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
        """Return the packages that are known to contain a file; many files are only in filelists."""
        if not path.startswith("/"):
            return []
        found = self.pool.select(path, solv.Selection.SELECTION_FILELIST).solvables()
        return [package for package in found if package.id in self.name_of]

    def replacing(self, package: Any) -> Iterator[Any]:
        """Yield the packages that obsolete this one, by its name and not by its provides."""
        for other, relation in self._obsoletes.get(package.name, ()):
            if any(found.id == package.id for found in self.pool.select(relation, _BY_NAME).solvables()):
                yield other

    @functools.cached_property
    def _obsoletes(self) -> dict[str, list[tuple[Any, str]]]:
        """The packages that obsolete a name, with the relation, by that name."""
        found: dict[str, list[tuple[Any, str]]] = {}
        for package in map(self.pool.id2solvable, self.name_of):
            for relation in map(str, package.lookup_deparray(solv.SOLVABLE_OBSOLETES)):
                found.setdefault(relation.partition(" ")[0], []).append((package, relation))
        return found


def _better_first(one: Any, two: Any) -> int:
    return int(two.repo.priority - one.repo.priority or two.evrcmp(one) or one.id - two.id)
