"""A tiny distribution: a handful of packages made by dpkg-deb, an index signed by gpg, served by the loopback mirror.

The set is enough to be solved, fetched and verified; nothing in it runs.
"""

from __future__ import annotations

import gzip
import hashlib
import random
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from net.mirror import Mirror, Request, Served
from provider.deb.signed import Signer, clear_sign

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from net.mirror import Answer

BASE = "/debian"
RELEASE = f"{BASE}/dists/tiny"
INDEX = f"{RELEASE}/main/binary-amd64/Packages.gz"
FIRST = ("base_1", "core_1", "libtiny1_1", "hello_1", "kernel_1", "tools_1")
"""The packages an image of the default recipe is made of, its tools, and nothing else."""
MORE = ("other_1", "clash_1", "broken_1", "big_1")
"""Packages a test asks for: one that goes, two that cannot, one that is large."""

CONTROLS = {
    "base_1": "Essential: yes",
    "core_1": "Essential: yes\nPre-Depends: libtiny1 (>= 1)",
    "libtiny1_1": "",
    "libtiny1_2": "",
    "hello_1": "Depends: libtiny1 (>= 1), greeter | other",
    "hello_2": "Depends: libtiny1 (>= 2)",
    "kernel_1": "",
    "tools_1": "Depends: libtiny1",
    "other_1": "Provides: greeter",
    "clash_1": "Conflicts: hello",
    "broken_1": "Depends: nowhere (>= 3)",
    "big_1": "",
}

DISTRIBUTION = """provider: deb
release: "1"
architectures: {{x86_64: amd64}}
mirror: http://mirror.invalid/debian
repositories:
  - {{name: tiny, mirror: main, suite: tiny, components: [main], keys: ["{key}"]}}
tools: [tools]
"""
DEFAULTS = """disk:
  size: 1GiB
  partitions:
    - {id: boot, type: esp, start: 1MiB, end: 257MiB, fsType: fat32, mountPoint: /boot/efi}
    - {id: rootfs, type: linux-root-amd64, start: 257MiB, end: "0", fsType: ext4, mountPoint: /}
systemConfig:
  bootloader: {bootType: efi, provider: systemd-boot}
  kernel: {packages: [kernel], cmdline: console=ttyS0, uki: true}
  packages: [hello, other]
"""


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package file and the stanza an index has of it."""

    file: str
    data: bytes
    control: str

    @property
    def stanza(self) -> str:
        facts = f"Filename: pool/{self.file}\nSize: {len(self.data)}\nSHA256: {_sha256(self.data)}\n"
        return f"{self.control}\n{facts}"

    @property
    def path(self) -> str:
        return f"{BASE}/pool/{self.file}"


def make_packages(place: Path) -> dict[str, Package]:
    """Build every package; ``big`` holds a mebibyte that does not compress."""
    made = {}
    for name, more in CONTROLS.items():
        package, _, version = name.partition("_")
        tree = place / name
        (tree / "DEBIAN").mkdir(parents=True)
        control = f"Package: {package}\nVersion: {version}\nArchitecture: amd64\nMaintainer: nobody\n{more}".rstrip()
        (tree / "DEBIAN/control").write_text(f"{control}\nDescription: {package}\n")
        (tree / "usr/share" / package).mkdir(parents=True)
        content = random.Random(1).randbytes(2**20) if package == "big" else b"some content\n"
        (tree / "usr/share" / package / "content").write_bytes(content)
        file = place / f"{name}_amd64.deb"
        argv = ["dpkg-deb", "-Zgzip", "--root-owner-group", "--build", str(tree), str(file)]
        subprocess.run(argv, check=True, capture_output=True)
        made[name] = Package(file=file.name, data=file.read_bytes(), control=control)
    return made


def make_distribution(place: Path, key: Path) -> None:
    """Write the data of the distribution ``tiny/tiny1``, whose repository is signed by `key`."""
    folder = place / "tiny/tiny1"
    folder.mkdir(parents=True)
    (folder / "distribution.yml").write_text(DISTRIBUTION.format(key=key))
    (folder / "raw-x86_64.yml").write_text(DEFAULTS)


@dataclass
class Tiny:
    """The repository on a mirror; what it serves can be changed path by path, or published anew."""

    mirror: Mirror
    packages: dict[str, Package]
    signer: Signer
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    _bodies: dict[str, bytes] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.mirror.url(BASE)

    def publish(
        self,
        names: Iterable[str] = (*FIRST, *MORE),
        *,
        signers: tuple[Signer, ...] = (),
        age: timedelta = timedelta(hours=1),
        announced: int | None = None,
        **fields: str,
    ) -> None:
        """Serve these packages, signed and all; `announced` is a lie about the size of the plain index."""
        packages = [self.packages[name] for name in names]
        plain = "\n".join(package.stanza for package in packages).encode()
        packed = gzip.compress(plain, mtime=0)
        values = {
            "Suite": "tiny",
            "Codename": "tiny",
            "Date": format_datetime(self.now - age),
            "Valid-Until": format_datetime(self.now + timedelta(days=7)),
            "Components": "main",
            **{name.replace("_", "-"): value for name, value in fields.items()},
        }
        files = {
            "main/binary-amd64/Packages": (_sha256(plain), len(plain) if announced is None else announced),
            "main/binary-amd64/Packages.gz": (_sha256(packed), len(packed)),
            "main/binary-arm64/Packages.gz": (_sha256(packed), len(packed)),  # the same bytes, as of an empty suite
        }
        lines = [f"{name}: {value}" for name, value in values.items()]
        lines += ["SHA256:", *(f" {digest} {size} {path}" for path, (digest, size) in files.items()), ""]
        self.serve(f"{RELEASE}/InRelease", clear_sign("\n".join(lines).encode(), *(signers or (self.signer,))))
        self.serve(INDEX, packed)
        for package in packages:
            self.serve(package.path, package.data)

    def serve(self, path: str, body: bytes) -> None:
        self._bodies[path] = body
        self.mirror.answers[path] = answer_of(body)

    def body(self, path: str) -> bytes:
        """Return what is served at a path."""
        return self._bodies[path]

    def asked(self) -> list[str]:
        """Return what was asked for since the last time."""
        paths = [request.path for request in self.mirror.requests]
        self.mirror.requests.clear()
        return paths

    def package(self, name: str) -> Package:
        return self.packages[name]


def answer_of(body: bytes) -> Answer:
    """Return what serves this body, and says when it has not changed."""
    served = Served(body, tag=f'"{_sha256(body)}"')

    def answer(request: Request) -> None:
        if request.headers.get("if-none-match") == served.tag:
            request.reply(304, ETag=served.tag)
        else:
            served(request)

    return answer


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
