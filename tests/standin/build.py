"""Builds unsigned packages from entries with rpmbuild, two at a time, each only if its inputs have changed.

The bytes of a package depend on its entry, the digest of the Debian package, this code and rpmbuild. A digest of the
first three names the file in the cache. Times are those of Debian's files; a generated package has `EPOCH`.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oic.errors import ToolError
from oic.provider.deb.packages import parse_package

from .debian import NOT_NEEDED
from .overlay import EPOCH, overlaid
from .payload import Payload, write_deb
from .relations import capability, evr, evr_text, requirement
from .spec import COMPRESSIONS, MACRO_FILE, Spec, spec_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .catalogue import Entry
    from .debian import Deb
    from .payload import Item

SHARED = frozenset(
    f"{top}{below}".strip("/")
    for top, belows in {
        "": "boot dev etc home mnt opt proc root run srv sys tmp usr var",
        "etc/": "opt profile.d sysconfig modprobe.d",
        "usr/": "bin include lib libexec local sbin share src",
        "usr/share/": "dict doc info locale man misc",
        "var/": "cache lib local log mail opt spool tmp run lock",
        "var/lib/": "misc",
    }.items()
    for below in belows.split()
)
"""Directories that belong only to ``filesystem``."""

MACROS = {
    "_buildhost": "standin",
    "use_source_date_epoch_as_buildtime": "1",
    "clamp_mtime_to_source_date_epoch": "1",
    "source_date_epoch_from_changelog": "0",
    "_build_id_links": "none",
    "debug_package": "%{nil}",
    "__spec_install_post": "%{nil}",
    "_unpackaged_files_terminate_build": "1",
    "_missing_doc_files_terminate_build": "1",
    "_build_name_fmt": "%%{NAME}.rpm",
}


def built(entries: Sequence[Entry], debs: Mapping[str, Deb], cache: Path) -> dict[Entry, Path]:
    """Return the package file of each entry; build those that are not in the cache. Raises ToolError."""
    cache.mkdir(parents=True, exist_ok=True)
    for left in cache.glob(".build-*"):  # from a killed run
        shutil.rmtree(left)
    known = {*debs, *(name for entry in entries for name in entry.also)}
    build = functools.partial(_built, debs=debs, known=frozenset(known), cache=cache)
    # the largest first, so that none is left alone at the end
    order = sorted(entries, key=lambda entry: -debs[entry.deb].file.stat().st_size if entry.deb else 0)
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(order, pool.map(build, order), strict=True))


def _built(entry: Entry, debs: Mapping[str, Deb], known: frozenset[str], cache: Path) -> Path:
    deb = debs[entry.deb] if entry.deb else None
    final = cache / f"{entry.name}-{_key(entry, deb)}.rpm"
    if not final.exists():
        with tempfile.TemporaryDirectory(dir=cache, prefix=".build-") as folder:
            made = _build(entry, deb, known, Path(folder))
            made.replace(final)
    return final


def _key(entry: Entry, deb: Deb | None) -> str:
    parts = [repr(sorted(asdict(entry).items())), deb.sha256 if deb else "", _code()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]


@functools.cache
def _code() -> str:
    here = Path(__file__).parent
    names = ("build.py", "debian.py", "overlay.py", "payload.py", "relations.py", "spec.py", MACRO_FILE.name)
    return hashlib.sha256(b"".join((here / name).read_bytes() for name in names)).hexdigest()


def _build(entry: Entry, deb: Deb | None, known: frozenset[str], folder: Path) -> Path:
    tree = folder / "tree"
    tree.mkdir()
    payload = write_deb(deb.file, entry, tree) if deb else Payload(items={}, control=b"", newest=EPOCH)
    items = {path: item for path, item in payload.items.items() if path not in SHARED or entry.name == "filesystem"}
    items = overlaid(entry, _files(entry, deb), items, tree)
    spec = _spec(entry, deb, payload, known, items)
    text = folder / "package.spec"
    text.write_text(spec_text(spec, str(tree)))
    return _rpmbuild(text, folder, payload.newest)


def _files(entry: Entry, deb: Deb | None) -> dict[str, Any]:
    """Return the added files; an empty package has one that says why it is empty."""
    files = dict(entry.files)
    if entry.why:
        files[f"/usr/share/doc/{entry.name}/STAND-IN"] = f"{_description(entry, deb)}\n"
    return files


def _description(entry: Entry, deb: Deb | None) -> str:
    if entry.why:
        return f"A stand-in for tests. {entry.why.strip()}"
    if deb:
        return f"A stand-in for tests, repackaged from {deb.name} {deb.version} of Debian 12."
    return "A stand-in for tests, made for them."


def _spec(entry: Entry, deb: Deb | None, payload: Payload, known: frozenset[str], items: Mapping[str, Item]) -> Spec:
    epoch, version, release = evr(deb.version) if deb else ("", "3.0", "1")
    if entry.version:
        epoch, version, release = "", entry.version, "1"
    relations = [*_relations(payload.control, known, entry), *_own_relations(entry)]
    return Spec(
        name=entry.name,
        dist=entry.dist,
        epoch=epoch,
        version=version,
        release=entry.release or release or "0",
        noarch=entry.noarch or b"\nArchitecture: all\n" in payload.control,
        summary=f"{entry.name}, as a stand-in",
        description=_description(entry, deb),
        compression=COMPRESSIONS[hashlib.sha256(entry.name.encode()).digest()[0] % len(COMPRESSIONS)],
        relations=relations,
        items=[items[path] for path in sorted(items)],
        scriptlets=entry.spec,
    )


def _own_relations(entry: Entry) -> list[str]:
    fields: dict[str, Iterable[str]] = {
        "Requires": entry.requires,
        "Provides": entry.provides,
        "Conflicts": entry.conflicts,
        "Obsoletes": entry.obsoletes,
    }
    fields |= {f"Requires({scriptlet})": names for scriptlet, names in entry.needs.items()}
    lines = [f"{name}: {value}" for name, values in fields.items() for value in values]
    return [*lines, *(f"Provides: deb({name})" for name in entry.also)]


def _relations(control: bytes, known: frozenset[str], entry: Entry) -> list[str]:
    """Return Debian's relations translated for rpm; a part of a package does not provide the package's name."""
    if not control or entry.alone:
        return []
    stanza = control.rstrip() + b"\nFilename: none\nSize: 0\nSHA256: " + b"0" * 64 + b"\n"
    package = parse_package(stanza, "control", "amd64")
    lines = [
        f"Requires: {text}"
        for clause in (*package.pre_depends, *package.depends)
        if (text := requirement(clause, NOT_NEEDED))
    ]
    if not entry.only:
        lines.append(f"Provides: deb({package.name}) = {evr_text(package.version, release='0')}")
        lines += [f"Provides: {capability(provide)}" for provide in package.provides]
        lines += [
            f"Conflicts: {capability(clause[0])}"
            for clause in (*package.conflicts, *package.breaks)
            if clause[0].name in known and clause[0].operator
        ]
    return list(dict.fromkeys(lines))


def _rpmbuild(spec: Path, folder: Path, epoch: int) -> Path:
    macros = {**MACROS, "_topdir": str(folder / "top"), "_rpmdir": str(folder / "out"), "_tmppath": str(folder)}
    argv = ["rpmbuild", "-bb", "--quiet", "--target", "x86_64", "--buildroot", str(folder / "root")]
    argv += [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C", "SOURCE_DATE_EPOCH": str(epoch)}
    done = subprocess.run([*argv, str(spec)], env=env, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        tail = "\n    ".join(done.stderr.splitlines()[-12:])
        kept = folder.parent / "failed.spec"
        shutil.copyfile(spec, kept)
        raise ToolError(f"rpmbuild failed:\n    {tail}", where=str(kept))
    (made,) = (folder / "out").glob("*.rpm")
    return made
