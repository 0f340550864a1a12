"""Serves a directory over TLS on loopback, with ranges and conditional requests, and a CA created at the start."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A running server: its URL without a final slash, the CA to trust, and the served directory."""

    url: str
    ca: Path
    tree: Path


class _Handler(SimpleHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 60

    def send_head(self) -> Any:
        """Answer a request for the rest of a file (RFC 9110, section 14); anything else as the base class does."""
        path = Path(self.translate_path(self.path))
        if self.server.prepare:
            self.server.prepare(path)
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not match or not path.is_file():
            return super().send_head()
        size = path.stat().st_size
        start, end = int(match[1]), min(int(match[2] or size), size - 1)
        if start >= size:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        file = path.open("rb")
        file.seek(start)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{end}/{size}")
        self.send_header("Content-Length", str(end - start + 1))
        self.send_header("Last-Modified", self.date_time_string(int(path.stat().st_mtime)))
        self.end_headers()
        return _Part(file, end - start + 1)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


class _Part:
    """The next `size` bytes of an open file."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data

    def close(self) -> None:
        self._file.close()


class _Server(ThreadingHTTPServer):
    """A server in which a slow TLS handshake does not block others, and clients may disconnect."""

    daemon_threads = True

    def __init__(self, tree: Path, context: ssl.SSLContext, port: int, prepare: Callable[[Path], None] | None) -> None:
        super().__init__(("127.0.0.1", port), functools.partial(_Handler, directory=str(tree)))
        self._context = context
        self.prepare = prepare

    def finish_request(self, request: Any, client_address: Any) -> None:
        with contextlib.suppress(OSError), self._context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)


@contextlib.contextmanager
def serving(tree: Path, *, port: int = 0, prepare: Callable[[Path], None] | None = None) -> Iterator[Served]:
    """Serve a directory while the body runs; `prepare` is called with the path of each request, and may create it."""
    folder = Path(tempfile.mkdtemp(prefix="standin-tls-"))
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate(folder))
        with _Server(tree, context, port, prepare) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield Served(url=f"https://localhost:{server.server_address[1]}", ca=folder / "ca.crt", tree=tree)
            finally:
                server.shutdown()
                thread.join()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def certificate(folder: Path) -> tuple[Path, Path]:
    """Create an authority, ``ca.crt``, and a certificate for loopback; return the certificate and its key."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, env={**os.environ})

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(
        "req", "-x509", *key, "-days", "30", "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=stand-in authority"
    )
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "30")
    openssl("x509", "-req", "-in", "server.csr", "-out", "server.crt", *signed)
    return folder / "server.crt", folder / "server.key"
