"""A mirror on loopback that serves files of a store; both sides of the benchmark fetch from it.

It serves the release files in an image's index, the Packages files that these list, and the packages of the image's
lock. For everything else it returns 404.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Files = dict[str, "Path"]


@contextlib.contextmanager
def serving(cache: Path, image: str) -> Iterator[str]:
    """Yield the base URL of a mirror with the files that `image` was built from."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, files=_files(cache, image)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def base_of(repository: str) -> str:
    """Return the path of a repository below the mirror's URL, as a recipe's ``target.mirror`` expects it."""
    return "/debian-security" if repository.endswith("-security") else "/debian"


def _files(cache: Path, image: str) -> Files:
    index, lock = (json.loads((cache / image / name).read_text()) for name in ("index.json", "lock.json"))
    files: Files = {}
    for repository in index["repositories"]:
        files |= _metadata(repository, index["architecture"], cache)
    for packages in lock["sets"].values():
        for package in packages:
            files[f"{base_of(package['repository'])}/{package['location']}"] = _blob(cache, package["sha256"])
    return files


def _metadata(repository: dict[str, Any], architecture: str, cache: Path) -> Files:
    base = f"{base_of(repository['name'])}/dists/{repository['suite']}"
    signed = (one for one in repository["documents"] if one["name"] != "Packages")
    files = {f"{base}/{one['name']}": _blob(cache, one["sha256"]) for one in signed}
    for entry in repository["packages"]:
        folder = f"{base}/{entry['component']}/binary-{architecture}"
        for name in (f"Packages.{entry['compression']}", f"by-hash/SHA256/{entry['sha256']}"):
            files[f"{folder}/{name}"] = _blob(cache, entry["sha256"])
    return files


def _blob(cache: Path, digest: str) -> Path:
    return cache / "store/sha256" / digest[:2] / digest


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *args: Any, files: Files) -> None:
        self.files = files
        super().__init__(*args)

    def do_GET(self) -> None:
        path = self.files.get(self.path.replace("%2b", "+").replace("%7e", "~").replace("%3a", ":"))
        if path is None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(path.stat().st_size))
        self.end_headers()
        with path.open("rb") as file:
            shutil.copyfileobj(file, self.wfile)

    def log_message(self, *args: object) -> None:
        """Say nothing."""
