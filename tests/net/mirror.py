"""A web server on the loopback that answers exactly as a test says, well or badly."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterable, Iterator

LINE = b"\r\n"


@dataclass
class Request:
    """What was asked, and the way to answer it; `nth` counts the requests for this path from 1."""

    path: str
    headers: dict[str, str]
    nth: int
    socket: socket.socket
    stopped: threading.Event
    keep: bool = False

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer properly; underscores of header names stand for hyphens; the connection stays open."""
        self.head(status, Content_Length=str(len(body)), **headers)
        self.socket.sendall(body)
        self.keep = True

    def head(self, status: int, **headers: str) -> None:
        lines = [f"HTTP/1.1 {status} Word", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())

    def trickle(self, data: Iterable[int]) -> None:
        """Send a byte at a time, until the client goes away."""
        for byte in data:
            if self.stopped.wait(0.02):
                return
            self.socket.sendall(bytes([byte]))


if TYPE_CHECKING:
    Answer = Callable[[Request], None]


def _not_found(request: Request) -> None:
    request.reply(404)


class _Handler(socketserver.StreamRequestHandler):
    server: Mirror

    def handle(self) -> None:
        # the client may go away at any time: that is what many tests are about
        with contextlib.suppress(OSError, ValueError), self.server.counted():
            wire = self.request
            wire.settimeout(30)  # a client that leaks its connection fails its test, and does not hang it
            if self.server.context is not None:
                wire = self.server.context.wrap_socket(wire, server_side=True)
            with wire, wire.makefile("rb") as reader:
                while (line := reader.readline()) and self._answer(line, reader, wire):
                    pass

    def _answer(self, line: bytes, reader: Iterable[bytes], wire: socket.socket) -> bool:
        path = line.split()[1].decode()
        headers = {}
        for header in reader:
            if header == LINE:
                break
            name, _, value = header.decode().partition(":")
            headers[name.lower()] = value.strip()
        request = self.server.record(path, headers, wire)
        answer = self.server.answers.get(path, _not_found)
        answer(request)
        return request.keep


class Mirror(socketserver.ThreadingTCPServer):
    """The server; `answers` by path, `requests` in the order they came."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.context = context
        self.answers: dict[str, Answer] = {}
        self.requests: list[Request] = []
        self.connections = 0
        self.open = 0
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        with self._lock:
            self.connections += 1
            self.open += 1
        try:
            yield
        finally:
            with self._lock:
                self.open -= 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stopped.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        with contextlib.suppress(OSError):
            super().shutdown_request(request)

    def url(self, path: str, user: str = "") -> str:
        scheme = "https" if self.context else "http"
        return f"{scheme}://{user}127.0.0.1:{self.server_address[1]}{path}"

    def record(self, path: str, headers: dict[str, str], wire: socket.socket) -> Request:
        with self._lock:
            nth = 1 + sum(request.path == path for request in self.requests)
            request = Request(path=path, headers=headers, nth=nth, socket=wire, stopped=self.stopped)
            self.requests.append(request)
        return request

    def count(self, path: str) -> int:
        return sum(request.path == path for request in self.requests)


@dataclass
class Served:
    """A file served properly: ranges, If-Range, a tag; `cut` bytes at most for each answer, then the line drops."""

    body: bytes
    tag: str = '"one"'
    cut: int | None = None
    seen: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> None:
        asked = request.headers.get("range", "")
        offset = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        self.seen.append(asked)
        if request.headers.get("if-range", self.tag) != self.tag:
            offset = 0
        part = self.body[offset:]
        status = {"Content_Range": f"bytes {offset}-{len(self.body) - 1}/{len(self.body)}"} if offset else {}
        request.head(206 if offset else 200, Content_Length=str(len(part)), ETag=self.tag, **status)
        request.socket.sendall(part[: self.cut])
        request.keep = self.cut is None or len(part) <= self.cut
