"""Reads the blocks of an image: stored bytes from the medium, plain bytes from zstd(1), both checked by their sha256.

::

    file ─> stored block ─> sha256 ─> zstd -dc ─> plain block ─> sha256 ─> yielded
            '------- a thread ------'

Nothing reaches zstd whose digest is not that of the index, and nothing is yielded whose digest is not.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from typing import TYPE_CHECKING

from .door import start_unpacking
from .errors import InstallError
from .payload import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from subprocess import Popen
    from typing import IO

    from .payload import Block, Image

_DAMAGED = "the medium is damaged: write or burn it again, and compare its sha256 with that of the ISO"


def read_blocks(medium: Path, image: Image, blocks: Sequence[Block] | None = None) -> Iterator[tuple[Block, bytes]]:
    """Yield blocks of an image, all of it or some, with their plain bytes.

    Raises InstallError when the file or a block of it is not as the index says.
    """
    wanted = image.blocks if blocks is None else blocks
    if not wanted:
        with _opened(medium, image):
            return
    with _opened(medium, image) as file, start_unpacking() as process:
        feeder = _Feeder(file, image, wanted, process)
        feeder.start()
        try:
            for block in wanted:
                data = _read_exactly(process, block.size)
                if feeder.error:
                    raise feeder.error
                if len(data) != block.size or hashlib.sha256(data).hexdigest() != block.sha256:
                    raise InstallError(_differs(image, f"block at {block.at} when unpacked"), hint=_DAMAGED)
                yield block, data
        finally:
            process.kill()
            feeder.join()


class _Feeder(threading.Thread):
    """Hands stored blocks to zstd; `error` is why it ended early."""

    def __init__(self, file: IO[bytes], image: Image, blocks: Sequence[Block], process: Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self._file, self._image, self._blocks, self._process = file, image, blocks, process
        self.error: InstallError | None = None

    def run(self) -> None:
        sink = self._process.stdin
        assert sink
        # A broken pipe means that zstd ended: the reader finds too few bytes.
        with contextlib.suppress(BrokenPipeError), sink:
            for block in self._blocks:
                try:
                    data = os.pread(self._file.fileno(), block.length, block.offset)
                except OSError as error:
                    text = f"{_path(self._image)} of the medium cannot be read at {block.offset}: {error.strerror}"
                    self.error = InstallError(text, hint=_DAMAGED)
                    return
                if hashlib.sha256(data).hexdigest() != block.stored:
                    self.error = InstallError(_differs(self._image, f"block at {block.at}"), hint=_DAMAGED)
                    return
                sink.write(data)
                sink.flush()


def _path(image: Image) -> str:
    return f"{FOLDER}/{image.name}"


def _differs(image: Image, what: str) -> str:
    return f"{_path(image)} of the medium: the {what} has not the sha256 that the index says"


@contextlib.contextmanager
def _opened(medium: Path, image: Image) -> Iterator[IO[bytes]]:
    try:
        file = (medium / _path(image)).open("rb", buffering=0)
    except OSError as error:
        raise InstallError(f"{_path(image)} of the medium cannot be read: {error.strerror}", hint=_DAMAGED) from None
    with file:
        size = os.fstat(file.fileno()).st_size
        if size != image.stored:
            raise InstallError(
                f"{_path(image)} of the medium: expected {image.stored} bytes, found {size}", hint=_DAMAGED
            )
        yield file


def _read_exactly(process: Popen[bytes], size: int) -> bytes:
    """Return as many bytes of zstd's output, or fewer at its end."""
    assert process.stdout
    return process.stdout.read(size)
