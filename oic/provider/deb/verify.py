"""Check that packages are what the lock says, and who signed for them, before anything of them is used.

Debian packages carry no signature. The chain is InRelease (signed) → Packages → sha256 of the package. Checked are:

* size and sha256, and the fields Package, Version and Architecture of the control file, against the lock;
* the names of control files and the names in ``triggers``: these become file names and lines in dpkg's database.

For triggers see deb-triggers(5); dpkg's trig_name_is_illegal (lib/dpkg/trigname.c) defines which names are valid.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oic.errors import TrustError
from oic.provider.deb.archive import read_deb
from oic.provider.protocol import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oic.ospackage.lock import Lock, LockedPackage, LockedRepository
    from oic.ospackage.store import Store

_FIELDS = ("package", "version", "architecture")
_DIRECTIVE = re.compile(r"(interest|activate)(-await|-noawait)?")
_TRIGGER = re.compile(r"[!-~]{1,200}")
_OWN_FILES = frozenset({"File", "Lock", "Unincorp", ".", ".."})
"""Files in the directory of named triggers that are not triggers."""


def verify(
    lock: Lock, packages: Sequence[LockedPackage], store: Store, claimed_by: Mapping[str, str] | None = None
) -> dict[str, Verdict]:
    """Return the verdict on each package by name; raises TrustError naming every bad one.

    `claimed_by` is for packages whose listing could not be checked: the lock file that claims it, by sha256.
    """
    repositories = {entry.name: entry for entry in lock.repositories}
    verdicts: dict[str, Verdict] = {}
    bad: list[str] = []
    for package in packages:
        try:
            verdicts[package.name] = _verdict_on(package, repositories.get(package.repository), claimed_by or {})
            store.check(package.sha256, package.size)
            _check_control(package, store)
        except TrustError as error:
            bad.append(f"{package.name} {package.version}: {error}")
    if bad:
        raise TrustError("\n".join(bad))
    return verdicts


def _verdict_on(package: LockedPackage, repository: LockedRepository | None, claimed_by: Mapping[str, str]) -> Verdict:
    file = claimed_by.get(package.sha256, "")
    if repository and repository.trusted:
        listed = f"listed by {package.repository}{f' as {file} says' if file else ''}, which the recipe trusts"
        return Verdict(signed=False, words=f"unsigned: sha256 {listed}")
    if not repository or not repository.signers:
        raise TrustError(f"nobody signed its repository {package.repository}")
    if file:
        words = f"as {file} says: sha256 listed by {package.repository}, whose signed index could not be checked"
    else:
        words = f"sha256 listed by {package.repository}, signed by {', '.join(repository.signers)}"
    return Verdict(signed=True, words=words)


def _check_control(package: LockedPackage, store: Store) -> None:
    """Raise TrustError when the control files are not those of the locked package."""
    with store.path(package.sha256).open("rb") as file:
        deb = read_deb(file, package.location)
    found = tuple(deb.fields[name] for name in _FIELDS)
    expected = (package.name, package.version, package.architecture)
    if found != expected:
        raise TrustError(f"expected the package {' '.join(expected)}, found {' '.join(map(ascii, found))}")
    if "triggers" in deb.control:
        _check_triggers(deb.control["triggers"].content.decode("utf-8", "replace"))


def _check_triggers(text: str) -> None:
    for line in text.split("\n"):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or not _DIRECTIVE.fullmatch(words[0]) or not _is_trigger(words[1]):
            raise TrustError(f"expected interest or activate and a trigger's name, found {line.strip()[:100]!r}")


def _is_trigger(name: str) -> bool:
    if not _TRIGGER.fullmatch(name):
        return False
    if name.startswith("/"):
        return ".." not in name.split("/")
    return "/" not in name and name not in _OWN_FILES
