"""The eLxr stand-in served over TLS on the loopback, by an authority made for the occasion.

A package file is fetched from Debian's mirror when it is first asked for, held against the index, and kept. By hand:
``python -m tests.standin.elxr_web``.
"""

from __future__ import annotations

import contextlib
import http.server
import os
import re
import ssl
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oic.errors import OicError
from oic.net import HttpFetcher
from oic.store import Store
from oic.values import Digest

from .elxr import KEY, make

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .elxr import Repo

CHUNK = 2**18


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Where the stand-in is: a base URL, the file of its certificate authority and that of its key."""

    url: str
    ca: Path
    key: Path


@contextlib.contextmanager
def served(place: Path) -> Iterator[Served]:
    """Make the repository below `place` and serve it; raises OicError."""
    repo = make(place)
    with tempfile.TemporaryDirectory(prefix="standin-tls-") as folder:
        ca = _certificates(Path(folder))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(Path(folder) / "server.crt", Path(folder) / "server.key")
        with _Server(repo, Store(place / "store"), context) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
            thread.start()
            try:
                yield Served(url=f"https://127.0.0.1:{server.server_port}/elxr", ca=ca, key=KEY)
            finally:
                server.shutdown()
                thread.join()


def _certificates(folder: Path) -> Path:
    """Make an authority and a certificate of the loopback's; return the authority's."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    subject = ("-subj", "/CN=authority of the stand-in", "-days", "3650")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", *subject)
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=stand-in")
    (folder / "extensions").write_text("subjectAltName=IP:127.0.0.1\n")
    signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extensions", "-days", "3650")
    openssl("x509", "-req", "-in", "server.csr", "-out", "server.crt", *signed)
    return folder / "ca.crt"


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, repo: Repo, store: Store, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repo, self.store, self.context = repo, store, context
        self.fetching = threading.Lock()

    def find(self, path: str) -> Path | None:
        """Return the file of a path below the base URL; raises OicError when Debian's mirror fails."""
        own = self.repo.tree / path
        if ".." not in path and own.is_file():
            return own
        if path not in self.repo.packages:
            return None
        digest, size = self.repo.packages[path]
        with self.fetching:
            if not self.store.has(Digest(digest)):
                with HttpFetcher() as fetcher:
                    body = fetcher.fetch(f"{self.repo.mirror}/{path}", limit=size).body or b""
                if self.store.add(body) != digest:
                    raise OicError(f"the mirror has another {path} than its index says")
        return self.store.path(Digest(digest))


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # a client may go away at any time
            super().handle()

    def log_message(self, *words: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        """Answer with a file, a part of it, that nothing changed, or that there is none."""
        prefix, _, path = self.path.removeprefix("/").partition("/")
        try:
            file = self.server.find(path) if prefix == "elxr" else None
        except OicError as error:
            sys.stderr.write(f"{error}\n")
            self._head(502, 0)
            return
        if file is None:
            self._head(404, 0)
            return
        size, tag = file.stat().st_size, f'"{file.stat().st_mtime_ns}"'
        if self.headers.get("If-None-Match") == tag:
            self._head(304, None, ETag=tag)
            return
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked and int(asked[1]) < size else 0
        part = {"Content-Range": f"bytes {start}-{size - 1}/{size}"} if start else {}
        self._head(206 if start else 200, size - start, ETag=tag, **part)
        with file.open("rb") as source:
            source.seek(start)
            while chunk := source.read(CHUNK):
                self.wfile.write(chunk)

    def _head(self, status: int, length: int | None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()


def default_place() -> Path:
    """Return where stand-ins are kept: ``OIC_STANDIN``, or a folder of the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("OIC_STANDIN") or Path(cache) / "oic-standin") / "elxr"


def main() -> None:
    """Serve until stopped, and say how a recipe gets at it."""
    with served(default_place()) as web:
        sys.stdout.write(
            f"export OIC_CA={web.ca}\n"
            f"# in a recipe's target, for dist: elxr12\n  mirror: {web.url}\n  mirrorKeys: [{web.key}]\n"
        )
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
