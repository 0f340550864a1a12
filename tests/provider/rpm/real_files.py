"""What becomes of rpm files that others made, and what the rpm of this host says of the same: see docs/rpm-formats.md.

    PYTHONPATH=tests .venv/bin/python -m provider.rpm.real_files FILES [KEYS]

FILES is a directory of rpm files, KEYS one of key files. Nothing of a package is installed or run. It prints a line
for each kind of refusal: its number of files, what rpm says of how many of them, and one of them; and a line for each
accepted file where the readers disagree with rpm: over what the header says, the digests, or, of signed packages, the
signatures.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from oic.errors import OicError, TrustError
from oic.provider.lapsed import package_signers
from oic.provider.openpgp import Keyring, keyring
from oic.provider.rpm.contents import check_contents
from oic.provider.rpm.header import Rpm, read_rpm
from oic.provider.rpm.package import files_of, nevra_of
from oic.provider.rpm.signature import signatures_of
from oic.provider.rpm.verify import _check_header, _check_payload

if TYPE_CHECKING:
    from collections.abc import Iterable

WHERE = "a package"
NAME = "%{NAME} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE} %{ARCH}\n"
FILES = (
    "[%{FILENAMES}\t%{FILEMODES:octal}\t%{LONGFILESIZES}\t%{FILEMTIMES}\t%{FILELINKTOS}\t%{FILEDIGESTS}\t%{FILEFLAGS}"
    "\t%{FILEUSERNAME}\t%{FILEGROUPNAME}\n]"
)


@dataclass(kw_only=True)
class Found:
    """What came of all files."""

    kinds: Counter[str] = field(default_factory=Counter)
    theirs: dict[str, Counter[str]] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    compared: Counter[str] = field(default_factory=Counter)
    different: list[str] = field(default_factory=list)

    def count(self, kind: str, name: str, theirs: str = "") -> None:
        self.kinds[kind] += 1
        self.theirs.setdefault(kind, Counter())[theirs] += 1
        self.examples.setdefault(kind, name)

    def compare(self, what: str, name: str, ours: object, theirs: object) -> None:
        self.compared[what] += 1
        if ours != theirs:
            self.different.append(f"{what}: {name}: here {ours!r:.300}, rpm {theirs!r:.300}")


class Rpmkeys:
    """The rpm of this host, with a database of its own that knows the keys."""

    def __init__(self, place: Path, keys: Iterable[Path]) -> None:
        self._database = f"--dbpath={place}"
        for key in keys:
            self._call("--import", str(key))

    def digests(self, file: Path) -> bool:
        """Tell whether the digests are good."""
        return self._call("--checksig", "--nosignature", str(file)).returncode == 0

    def says(self, file: Path) -> str:
        """Return rpm's own word on a file that is refused here."""
        if not queried(file, "%{NAME}"):
            return "rpm does not read it"
        if queried(file, "%{SOURCEPACKAGE}") == "1":
            return "rpm: a source package"
        return "rpm: good digests" if self.digests(file) else "rpm: bad digests"

    def signatures(self, file: Path) -> bool:
        """Tell whether the package is signed and every signature is good."""
        return self._call("--define", "_pkgverify_level signature", "--checksig", str(file)).returncode == 0

    def _call(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["rpmkeys", self._database, *words], capture_output=True, check=False)


def queried(file: Path, query: str) -> str:
    """Return what rpm reads of a header; nothing when it does not read it."""
    argv = ["rpm", "-qp", "--nosignature", "--nodigest", "--qf", query, str(file)]
    done = subprocess.run(argv, capture_output=True, check=False, text=True, errors="surrogateescape")
    return done.stdout if done.returncode == 0 else ""


def look_at(files: Iterable[Path], keys: Iterable[Path] = ()) -> Found:
    """Read each file as a build does, and compare with rpm what both can say."""
    found = Found()
    with tempfile.TemporaryDirectory() as place:
        theirs = Rpmkeys(Path(place), keys)
        usable = {f"file://{key}": key.read_bytes() for key in keys if _is_usable(key, found)}
        with keyring(usable) as ring:
            for path in files:
                with path.open("rb") as file:
                    _look_at(path, file, theirs, ring if usable else None, found)
    return found


def _is_usable(key: Path, found: Found) -> bool:
    try:
        with keyring({f"file://{key}": key.read_bytes()}):
            return True
    except OicError as error:
        found.count(f"key file: {kind_of(str(error))}", key.name)
        return False


def _look_at(path: Path, file: IO[bytes], theirs: Rpmkeys, ring: Keyring | None, found: Found) -> None:
    try:
        rpm = read_rpm(file, WHERE)
        nevra = nevra_of(rpm.header)
        signatures = signatures_of(rpm.signature)
        _check_header(rpm, WHERE)
        _check_payload(file, rpm, WHERE)
        check_contents(file, rpm)
    except TrustError as error:
        found.count(kind_of(str(error)), path.name, theirs.says(path))
        return
    found.count("accepted", path.name)
    found.compare("digests", path.name, True, theirs.digests(path))
    found.compare("name", path.name, f"{nevra}\n", queried(path, NAME).replace(" 0:", " "))
    found.compare("file list", path.name, _listed(rpm), queried(path, FILES))
    if signatures and ring:
        refusal = _unsigned(file, rpm, ring)
        what = "signatures, refused here" if refusal else "signatures, good here"
        found.compare(what, f"{path.name} {refusal}", not refusal, theirs.signatures(path))


def _listed(rpm: Rpm) -> str:
    return "".join(
        f"{f.path}\t{f.mode:o}\t{f.size}\t{f.mtime}\t{f.link}\t{f.digest}\t{f.flags}\t{f.user}\t{f.group}\n"
        for f in files_of(rpm.header)
    )


def _unsigned(file: IO[bytes], rpm: Rpm, ring: Keyring) -> str:
    """Return why a signature is refused, or nothing."""
    file.seek(rpm.header_offset)
    whole = file.read()
    try:
        for signature in signatures_of(rpm.signature):
            data = whole if signature.over_payload else rpm.header.signed
            package_signers(ring, data, signature.packet, where=WHERE)
    except TrustError as error:
        return str(error)
    return ""


def kind_of(message: str) -> str:
    """Return a refusal without what is of one file: names, numbers, digests."""
    text = re.sub(r"'[^']*'|\"[^\"]*\"", "'…'", re.sub(r"^(a package|file:\S+): ", "", message))
    return re.sub(
        r"\b(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]{8,}\b|\b[0-9]+(?= bytes| tags)|(?<=payload, found )[0-9]+", "…", text
    )


def main(argv: list[str]) -> int:
    """Look at the files of a directory and print what was found; 1 where rpm says something else."""
    files, keys = (sorted(Path(word).iterdir()) if word else [] for word in (*argv, "", "")[:2])
    found = look_at(files, keys)
    lines = [f"{count:6}  {kind}{_of(found, kind)}" for kind, count in found.kinds.most_common()]
    lines += [f"{count:6}  compared with rpm: {what}" for what, count in sorted(found.compared.items())]
    lines += [f"DIFFERENT {line}" for line in found.different]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 1 if found.different else 0


def _of(found: Found, kind: str) -> str:
    theirs = "".join(f"  [{count} {words}]" for words, count in found.theirs[kind].most_common() if words)
    return f"{theirs}  ({found.examples[kind]})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
