"""HTTP connections: TLS settings, and a minimum rate for answers.

* TLS is verified, 1.2 or later, against the authorities of the system, of requests, and of an extra file: the
  caller's, or the one that the environment variable ``OIC_CA`` names. Only for files of known digests it need not be.
* Socket timeouts limit a single read, so a mirror that sends a byte at a time (in the handshake, the headers, the size
  of a chunk or the body) never triggers them. A `Watch` shuts down a socket below its minimum rate.
"""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import ssl
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import InsecureRequestWarning

from oic.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from urllib3 import HTTPResponse, ProxyManager


def tls_context(ca: Path | None) -> ssl.SSLContext:
    """Return a verifying context; raises FetchError when `ca` holds no certificate."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca is not None:
        try:
            context.load_verify_locations(cafile=ca)
        except OSError as error:  # ssl.SSLError is one
            hint = "name a file of PEM certificates"
            found = "no PEM certificate in it" if isinstance(error, ssl.SSLError) else error.strerror
            raise FetchError(f"expected a certificate authority, found {found}", where=str(ca), hint=hint) from error
    return context


def unverified_context() -> ssl.SSLContext:
    """Return a context that verifies no server: for files whose digests are known."""
    warnings.simplefilter("ignore", InsecureRequestWarning)
    context = tls_context(None)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def extra_authority() -> Path | None:
    """Return the file of certificates that ``OIC_CA`` names, or None; raises FetchError for a relative path."""
    named = os.environ.get("OIC_CA", "")
    if named and not os.path.isabs(named):  # stages run in another directory than the user's
        hint = "use the absolute path of a file of PEM certificates"
        raise FetchError(f"expected an absolute path, found '{named}'", where="OIC_CA", hint=hint)
    return Path(named) if named else None


class Watch:
    """Shuts the attached socket down when it receives less than `rate` bytes a second during `window` seconds."""

    def __init__(self, *, window: float, rate: float) -> None:
        self.stalled = False
        self._window = window
        self._minimum = window * rate
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._socket: socket.socket | None = None
        self._seen = 0.0
        self._thread = threading.Thread(target=self._watch, name="stall watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        with self._lock:
            self._drop()

    def attach(self, descriptor: int) -> None:
        """Watch this socket, starting with a new window.

        A duplicate descriptor is kept, because TLS replaces the socket object during its handshake.
        """
        with self._lock:
            self._drop()
            self._socket = socket.socket(fileno=os.dup(descriptor))
            self._seen = self._minimum
            if self.stalled or self._over.is_set():
                self._shut()

    def advance(self, count: int) -> None:
        """Count `count` bytes of received body."""
        self._seen += count

    def abort(self) -> None:
        """Shut the socket down at once; called from another thread."""
        self._over.set()
        with self._lock:
            self._shut()

    def _watch(self) -> None:
        while not self._over.wait(self._window):
            with self._lock:
                if self._seen < self._minimum:
                    self.stalled = True
                    self._shut()
                self._seen = 0.0

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it may not be connected
                self._socket.shutdown(socket.SHUT_RDWR)

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _WatchedHTTP(HTTPConnection):
    """A connection that reports its socket when it is created and before it waits for a response."""

    def __init__(self, *args: Any, attach: Callable[[int], None], **options: Any) -> None:
        super().__init__(*args, **options)
        self._attach = attach

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self._attach(connection.fileno())
        return connection

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # urllib3's own deviation from http.client
        if self.sock is not None:
            self._attach(self.sock.fileno())
        return super().getresponse()


class _WatchedHTTPS(_WatchedHTTP, HTTPSConnection):
    """The same under TLS."""


class Session(requests.Session):
    """A session that leaves redirects to its caller; requests would parse their targets even if told not to follow."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return no target."""


class WatchedAdapter(HTTPAdapter):
    """The transport of a requests session; it gives its sockets to `watch`, which the caller sets for each exchange."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self.watch: Watch | None = None
        self._pools: set[HTTPConnectionPool] = set()
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Create the pool with our TLS settings."""
        super().init_poolmanager(*args, **options, ssl_context=self._context)

    def proxy_manager_for(self, proxy: str, **options: Any) -> ProxyManager:
        """Create the pool behind a proxy with our TLS settings, also for TLS to the proxy itself."""
        if proxy.lower().startswith("https:"):
            options["proxy_ssl_context"] = self._context
        manager: ProxyManager = super().proxy_manager_for(proxy, **options, ssl_context=self._context)
        return manager

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> HTTPConnectionPool:
        """Return the pool, with watched connections."""
        pool = super().get_connection_with_tls_context(*args, **options)
        assert isinstance(pool, HTTPConnectionPool)
        kind = _WatchedHTTPS if pool.scheme == "https" else _WatchedHTTP
        self._pools.add(pool)
        pool.ConnectionCls = functools.partial(kind, attach=self._attach)  # type: ignore[assignment]  # only called
        return pool

    def close(self) -> None:
        """Close idle connections; urllib3 leaves that to the garbage collector, and an exception can keep a pool."""
        for pool in tuple(self._pools):  # another thread may be adding one
            pool.close()
        self._pools.clear()
        cast("Any", super()).close()  # only some versions of its stubs declare it

    def _attach(self, descriptor: int) -> None:
        if self.watch is not None:
            self.watch.attach(descriptor)
