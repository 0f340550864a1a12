"""Small rpm repositories as createrepo_c would write them, out of a few words for each package; no package exists."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import re
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

import zstandard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_NEVRA = re.compile(
    r"(?P<name>.+)-(?:(?P<epoch>\d+):)?(?P<ver>[^-]+)-(?P<rel>[^-]+?)(?:\.(?P<arch>x86_64|noarch|i686|src))?"
)
_RELATION = re.compile(r"(?P<name>\S+) (?P<sign><=|>=|<|>|=) (?:(?P<epoch>\d+):)?(?P<ver>[^-\s]+)(?:-(?P<rel>\S+))?")
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SIGNS = {"<": "LT", "<=": "LE", "=": "EQ", ">=": "GE", ">": "GT"}
_RELATIONS = ("provides", "requires", "conflicts", "obsoletes", "suggests", "enhances", "recommends", "supplements")
_IN_PRIMARY = re.compile(r"/etc/|.*/s?bin/|/usr/lib/sendmail$")
"""Which files createrepo_c lists in primary."""


COMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda plain: gzip.compress(plain, mtime=0),
    "lzma": lambda plain: lzma.compress(plain, lzma.FORMAT_ALONE),
    "xz": lzma.compress,
    "zst": zstandard.compress,
    "bz2": bz2.compress,
    "": bytes,
}


def write_repository(
    folder: Path, packages: Iterable[Any], *, revision: int = 1000, compression: str = "gz", checksum: str = "sha256"
) -> str:
    """Write repodata below `folder` and return the repository's URL."""
    (folder / "repodata").mkdir(parents=True)
    data = ""
    for kind, plain in documents_of(packages).items():
        body = COMPRESSED[compression](plain)
        path = f"repodata/{kind}.xml.{compression}".rstrip(".")
        (folder / path).write_bytes(body)
        data += data_of(kind, path, plain, body, revision, checksum)
    (folder / "repodata/repomd.xml").write_text(repomd_of(data, revision))
    return folder.as_uri()


def documents_of(packages: Iterable[Any]) -> dict[str, bytes]:
    """Return the plain documents of a repository of these packages."""
    entries = [_parsed(package) for package in packages]
    texts = {"primary": _primary(entries), "filelists": _filelists(entries), "other": _other(entries)}
    return {kind: text.encode() for kind, text in texts.items()}


def repomd_of(data: str, revision: int) -> str:
    spaces = 'xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm"'
    return f"{HEAD}<repomd {spaces}>\n<revision>{revision}</revision>\n{data}</repomd>"


def data_of(kind: str, location: str, plain: bytes, body: bytes, timestamp: int, checksum: str = "sha256") -> str:
    return (
        f'<data type="{kind}"><checksum type="{checksum}">{hashlib.new(checksum, body).hexdigest()}</checksum>'
        f'<open-checksum type="{checksum}">{hashlib.new(checksum, plain).hexdigest()}</open-checksum>'
        f'<location href="{location}"/><timestamp>{timestamp}</timestamp>'
        f"<size>{len(body)}</size><open-size>{len(plain)}</open-size></data>\n"
    )


def _parsed(package: Any) -> dict[str, Any]:
    given = {"nevra": package} if isinstance(package, str) else dict(package)
    match = _NEVRA.fullmatch(given["nevra"])
    assert match, given
    given.update({key: value or "" for key, value in match.groupdict().items()})
    given["epoch"] = given["epoch"] or "0"
    given["arch"] = given["arch"] or "x86_64"
    given["sha256"] = hashlib.sha256(given["nevra"].encode()).hexdigest()
    own = f"{given['name']} = {given['epoch']}:{given['ver']}-{given['rel']}"
    given["provides"] = [own, *given.get("provides", [])]
    unknown = given.keys() - {"nevra", "name", "epoch", "ver", "rel", "arch", "sha256", "files", "pre", *_RELATIONS}
    assert not unknown, unknown
    return given


def _primary(entries: list[dict[str, Any]]) -> str:
    spaces = 'xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm"'
    packages = "".join(map(_primary_entry, entries))
    return f'{HEAD}<metadata {spaces} packages="{len(entries)}">\n{packages}</metadata>'


def _primary_entry(entry: dict[str, Any]) -> str:
    relations = "".join(
        f"<rpm:{kind}>{''.join(map(_entry, entry.get(kind, [])))}"
        + ("".join(_entry(text, pre=True) for text in entry.get("pre", [])) if kind == "requires" else "")
        + f"</rpm:{kind}>\n"
        for kind in _RELATIONS
        if entry.get(kind) or (kind == "requires" and entry.get("pre"))
    )
    files = "".join(f"<file>{escape(path)}</file>" for path in entry.get("files", []) if _IN_PRIMARY.match(path))
    source = "" if entry["arch"] == "src" else "made-1-1.src.rpm"
    full = f"{entry['name']}-{entry['ver']}-{entry['rel']}.{entry['arch']}"
    return f"""<package type="rpm"><name>{entry["name"]}</name><arch>{entry["arch"]}</arch>
{_version(entry)}<checksum type="sha256" pkgid="YES">{entry["sha256"]}</checksum>
<summary>made</summary><description>made</description><packager/><url/><time file="1" build="1"/>
<size package="{len(full)}" installed="1" archive="1"/><location href="Packages/{full}.rpm"/>
<format><rpm:license>none</rpm:license><rpm:sourcerpm>{source}</rpm:sourcerpm>
{relations}{files}</format></package>
"""


def _version(entry: dict[str, Any]) -> str:
    return f'<version epoch="{entry["epoch"]}" ver="{entry["ver"]}" rel="{entry["rel"]}"/>'


def _entry(text: str, *, pre: bool = False) -> str:
    flag = ' pre="1"' if pre else ""
    match = _RELATION.fullmatch(text)
    if not match or text.startswith("("):
        return f"<rpm:entry name={quoteattr(text)}{flag}/>"
    release = f' rel="{match["rel"]}"' if match["rel"] else ""
    version = f'flags="{_SIGNS[match["sign"]]}" epoch="{match["epoch"] or 0}" ver="{match["ver"]}"'
    return f"<rpm:entry name={quoteattr(match['name'])} {version}{release}{flag}/>"


def _filelists(entries: list[dict[str, Any]]) -> str:
    return _others(
        entries, "filelists", lambda entry: "".join(f"<file>{escape(path)}</file>" for path in entry.get("files", []))
    )


def _other(entries: list[dict[str, Any]]) -> str:
    return _others(entries, "otherdata", lambda _: "")


def _others(entries: list[dict[str, Any]], root: str, inner: Any) -> str:
    space = f"http://linux.duke.edu/metadata/{root.removesuffix('data')}"
    packages = "".join(
        f'<package pkgid="{entry["sha256"]}" name="{entry["name"]}" arch="{entry["arch"]}">{_version(entry)}'
        f"{inner(entry)}</package>\n"
        for entry in entries
    )
    return f'{HEAD}<{root} xmlns="{space}" packages="{len(entries)}">\n{packages}</{root}>'
