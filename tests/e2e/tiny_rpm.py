"""A tiny rpm distribution: packages made by rpmbuild, signed by rpmsign, indexed by createrepo_c, served over TLS.

The build environment is the host's own rpm with what it needs, in one package: sets are really installed.
"""

from __future__ import annotations

import gzip
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provider.rpm.made import Made
from provider.rpm.repodata import COMPRESSED, data_of, repomd_of
from provider.rpm.small_root import make_filesystem, make_tools, rpmbuild
from provider.rpm.surgery import binary

from oic.provider.rpm.tags import Sig

from .tiny import DEFAULTS, answer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from net.mirror import Mirror
    from provider.rpm.keys import Key
    from provider.rpm.surgery import Parts

BASE = "/tiny/base"
REPOMD = f"{BASE}/repodata/repomd.xml"
SIGNATURE = f"{REPOMD}.asc"
PRIMARY = f"{BASE}/repodata/primary.xml.gz"
KEY = f"{REPOMD}.key"
HELLO = f"{BASE}/hello.rpm"
PAST = "20200101T000000!"

DISTRIBUTION = """provider: rpm
release: "1"
architectures: {x86_64: x86_64}
mirror: https://mirror.invalid/tiny
repositories:
  - {name: tiny, path: base, keys: [repodata/repomd.xml.key]}
tools: [tools, extra]
"""
_TOOLS = """%global _binary_payload w1.gzdio
%description
The host's rpm.
%install
cp -a FILES/. %{buildroot}
%files
/usr
/bin
/lib
/lib64
/etc/rpm
"""


def hello(scripts: str = "", *, version: str = "1.0") -> Made:
    """Return a package of the image; ``filesystem`` is there before it, and so is the shell."""
    install = "mkdir -p %{buildroot}/usr/share; echo hello >%{buildroot}/usr/share/hello"
    return Made(
        name="hello",
        version=version,
        install=install,
        files="/usr/share/hello",
        scripts=scripts,
        tags="Requires(pre,post,posttrans): filesystem",
    )


def extra() -> Made:
    """Return a package of the build environment that does nothing there."""
    return Made(name="extra", install="mkdir -p %{buildroot}/opt; : >%{buildroot}/opt/extra", files="/opt/extra")


def make_packages(place: Path, key: Key) -> dict[str, bytes]:
    """Build and sign every package, by its name."""
    make_tools(place / "root")
    files = [make_filesystem(place), rpmbuild(place, "tools", _TOOLS.replace("FILES", str(place / "root")))]
    kernel = Made(name="kernel", install="mkdir -p %{buildroot}/boot; : >%{buildroot}/boot/k", files="/boot/k")
    files += [made.make(place / made.name) for made in (kernel, hello(), extra())]
    return {file.stem: key.sign(file).read_bytes() for file in files}


def make_distribution(place: Path) -> None:
    """Write the data of the distribution ``tiny/rpm1``."""
    folder = place / "tiny/rpm1"
    folder.mkdir(parents=True)
    (folder / "distribution.yml").write_text(DISTRIBUTION)
    (folder / "raw-x86_64.yml").write_text(DEFAULTS.replace("[hello, other]", "[filesystem, hello]"))


def sealed(parts: Parts, key: Key) -> bytes:
    """Return a package put together by hand, its header signed as rpmsign would."""
    parts.signature[Sig.RSA] = binary(key.detached(parts.header_bytes()))
    return parts.bytes()


@dataclass
class TinyRpm:
    """A repository on a mirror, below `base`; what it serves can be changed path by path, or published anew."""

    mirror: Mirror
    packages: Mapping[str, bytes] = field(repr=False)
    key: Key
    place: Path
    base: str = BASE
    bodies: dict[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def url(self) -> str:
        return self.mirror.url("/tiny")

    def publish(
        self,
        *,
        revision: int = 1000,
        key: Key | None = None,
        change: Callable[[bytes], bytes] = bytes,
        **packages: bytes,
    ) -> None:
        """Serve the packages, or others in their place; `change` is made to primary.xml before it is signed."""
        self.place.mkdir(exist_ok=True)
        for name, data in {**self.packages, **packages}.items():
            (self.place / f"{name}.rpm").write_bytes(data)
            self.serve(f"{self.base}/{name}.rpm", data)
        argv = ["createrepo_c", "--quiet", "--no-database", "--simple-md-filenames", str(self.place)]
        subprocess.run(argv, check=True, capture_output=True)
        listed = ""
        for kind in ("primary", "filelists"):
            body = (self.place / f"repodata/{kind}.xml.gz").read_bytes()
            plain = gzip.decompress(body)
            if kind == "primary":
                plain = change(plain)
                body = COMPRESSED["gz"](plain)
            listed += data_of(kind, f"repodata/{kind}.xml.gz", plain, body, revision)
            self.serve(f"{self.base}/repodata/{kind}.xml.gz", body)
        self.serve(f"{self.base}/repodata/repomd.xml", repomd_of(listed, revision).encode())
        self.sign(key or self.key)

    def sign(self, key: Key, *words: str) -> None:
        """Sign what is served as repomd.xml, and serve that key."""
        document = f"{self.base}/repodata/repomd.xml"
        self.serve(f"{document}.asc", key.detached(self.bodies[document], "--armor", *words))
        self.serve(f"{document}.key", key.public())

    def serve(self, path: str, body: bytes) -> None:
        self.bodies[path] = body
        self.mirror.answers[path] = answer_of(body)

    def lose(self, path: str) -> None:
        """Serve no such path."""
        self.mirror.answers.pop(path)

    def asked(self) -> list[str]:
        """Return what was asked for since the last time."""
        paths = [request.path for request in self.mirror.requests]
        self.mirror.requests.clear()
        return paths
