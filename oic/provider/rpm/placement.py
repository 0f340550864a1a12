"""Determine where each file of a set of packages goes, from the headers, before anything is unpacked.

* Symbolic links to directories that packages contain (``/lib64`` → ``usr/lib``) are resolved. Each file gets its real
  path, so packages may use different names for a place and come in any order. A link never leads out of the root.
* ``/bin``, ``/lib``, ``/lib64`` and ``/sbin`` are links to their namesakes in ``/usr`` unless a package says otherwise.
* Several packages may contain the same file, also by different paths; it is taken from the first. The first package
  also sets the mode of a shared directory. Anything else is a clash, and an error.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.errors import TrustError
from oic.provider import merged_usr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oic.provider.rpm.package import File

_MAX_LINKS = 40  # the kernel's limit, path_resolution(7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The result: `directories` by path with their modes, parents first; `links` that no package contains; `places`.

    `places` has, for each package, the files to take from it: the real path by the path in its header.
    """

    directories: dict[str, int]
    links: dict[str, str]
    places: list[dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """A path's owner: the first package that has it."""

    package: str
    file: File


class _Links:
    """Resolves paths with a set of symbolic links, which are themselves given by real paths.

    `passed` are directories that must exist because a link's target goes through them: ``a/../b``.
    """

    def __init__(self, links: Mapping[str, str], owners: Mapping[str, str]) -> None:
        self.passed: set[str] = set()
        self._links = links
        self._owners = owners
        self._known = {"/": "/"}

    def real(self, path: str) -> str:
        """Return the real path, with a link at the end resolved too; raises TrustError for a loop."""
        if path not in self._known:
            self._known[path] = self._followed(path)
        return self._known[path]

    def named(self, path: str) -> str:
        """Return the path with its directory resolved, but not a link at the end."""
        directory, _, name = path.rpartition("/")
        return f"{self.real(directory or '/').rstrip('/')}/{name}"

    def _followed(self, path: str) -> str:
        todo = path.split("/")[::-1]
        place: list[str] = []
        followed = 0
        while todo:
            name = todo.pop()
            if name == "..":
                self.passed.add("/" + "/".join(place))
                del place[-1:]
            elif name not in ("", "."):
                link = "/" + "/".join([*place, name])
                target = self._links.get(link)
                if target is None:
                    place.append(name)
                    continue
                followed += 1
                if followed > _MAX_LINKS:
                    message = f"expected a directory, found a loop of symbolic links at {path!r}"
                    raise TrustError(message, where=self._owners.get(link))
                place = [] if target.startswith("/") else place
                todo += target.split("/")[::-1]
        return "/" + "/".join(place)


def placement_of(packages: Sequence[tuple[str, Sequence[File]]]) -> Placement:
    """Return where the files of each (name, files) go; raises TrustError with both packages of a clash."""
    here = [(name, [file for file in files if not file.ghost]) for name, files in packages]
    links = {file.path: file.link for _, files in here for file in files if stat.S_ISLNK(file.mode)}
    owners = {file.path: name for name, files in here for file in files if stat.S_ISLNK(file.mode)}
    merged = {path: target for path, target in merged_usr.LINKS.items() if path not in links}
    resolver = _resolver({**merged, **links}, owners)
    directories: dict[str, int] = {}
    claims: dict[str, _Claim] = {}
    places: list[dict[str, str]] = []
    for name, files in here:
        places.append({})
        for file in files:
            if stat.S_ISDIR(file.mode):
                directories.setdefault(resolver.real(file.path), stat.S_IMODE(file.mode))
            elif _claimed(claims, resolver.named(file.path), name, file):
                places[-1][file.path] = resolver.named(file.path)
    for path in merged:
        directories.setdefault(resolver.real(path), 0o755)
    for path in resolver.passed:
        directories.setdefault(path, 0o755)
    for path in (*claims, *list(directories)):
        _add_parents(directories, path)
    _check_kinds(claims, directories, merged)
    return Placement(directories=dict(sorted(directories.items())), links=merged, places=places)


def _resolver(links: Mapping[str, str], owners: Mapping[str, str]) -> _Links:
    """Return the links by their real paths, which depend on the links themselves."""
    found = dict(links)
    for _ in range(_MAX_LINKS):
        resolver = _Links(found, owners)
        following = {resolver.named(path): target for path, target in links.items()}
        if following == found:
            return resolver
        found = following
    message = f"found some that lead through each other, {min(found)!r} for one"
    raise TrustError(f"expected symbolic links that lead somewhere, {message}")


def _claimed(claims: dict[str, _Claim], path: str, name: str, file: File) -> bool:
    """Tell whether this is the first claim on a path; another must be for the same file."""
    claim = claims.setdefault(path, _Claim(package=name, file=file))
    first = claim.file
    if first is file:
        return True
    same = (stat.S_IFMT(first.mode), first.digest, first.link) == (stat.S_IFMT(file.mode), file.digest, file.link)
    if not same:
        raise TrustError(f"expected one {path!r}, found another in {claim.package}", where=name)
    return False


def _add_parents(directories: dict[str, int], path: str) -> None:
    parent = path.rpartition("/")[0]
    while parent and parent not in directories:
        directories[parent] = 0o755
        parent = parent.rpartition("/")[0]


def _check_kinds(claims: Mapping[str, _Claim], directories: Mapping[str, int], merged: Mapping[str, str]) -> None:
    """Raise TrustError for a path that is a directory in one package and something else in another."""
    for path, claim in claims.items():
        if path in directories or path in merged:
            raise TrustError(
                f"expected a directory {path!r}, found {claim.file.path!r} of another type", where=claim.package
            )
