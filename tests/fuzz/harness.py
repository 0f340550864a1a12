"""A harness: a parser of untrusted bytes, the rule it has to keep, and what shows that it did not.

* Only refusals come out: OicError and its kinds, or what the harness names besides.
* A refusal holds no control characters, and is one line where the harness does not say otherwise.
* An input takes no more than `seconds` of the processor, and the process no more than `MEMORY` beyond what it has.
* What a harness asserts besides (a size, a path below the root, the same when read again) holds.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oic.errors import OicError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

MEMORY = 1 << 30
HERE = Path(__file__).parent
_PRODUCT = str(HERE.parents[1] / "oic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Harness:
    """What is fuzzed: `run` has one input and may raise `refusals`; `seeds` makes the inputs to begin with.

    `lines`: a refusal may be of several lines. `mutants`: how many inputs the tests make of seeds and corpus, of `most`
    bytes at most. `fuzz_seconds`: how long a run takes when nobody says how long.
    """

    name: str
    run: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]
    refusals: tuple[type[Exception], ...] = (OicError,)
    lines: bool = False
    seconds: float = 5
    mutants: int = 1000
    most: int = 4096
    fuzz_seconds: int = 180

    @property
    def corpus(self) -> Path:
        """The inputs that are kept."""
        return HERE / "corpus" / self.name

    def kept(self) -> list[bytes]:
        """Return the seeds and the corpus."""
        files = sorted(self.corpus.glob("*")) if self.corpus.is_dir() else []
        return [*self.seeds(), *(file.read_bytes() for file in files)]


class Finding(Exception):  # noqa: N818 - it is what the whole is for
    """An input that broke the rule; `place` is the same for all that did it in the same way."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place = place


class _Slow(BaseException):
    """Raised into an input that takes too long: nothing that is fuzzed may catch it."""


def check(harness: Harness, data: bytes) -> None:
    """Run one input; raises Finding."""
    signal.setitimer(signal.ITIMER_VIRTUAL, harness.seconds)
    try:
        harness.run(data)
    except harness.refusals as error:
        problem = _problem(str(error), lines=harness.lines)
        if problem:
            raise Finding(f"{problem} {_place(error)}", f"{problem}: {str(error)[:400]!r}") from error
    except (Exception, _Slow) as error:
        raise Finding(f"{type(error).__name__} {_place(error)}", _words(error)) from error
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


@contextlib.contextmanager
def limits() -> Iterator[None]:
    """Limit the memory of this process, and let an input's time end in an exception."""
    there = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGVTALRM, _stop)
    resource.setrlimit(resource.RLIMIT_AS, (there + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.signal(signal.SIGVTALRM, handler)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _Slow("too slow")


def _problem(text: str, *, lines: bool) -> str:
    """Return what a user's terminal should not be shown, or nothing."""
    if not all(one.isprintable() or one in "\n\t" for one in text):
        return "control characters"
    return "" if lines or "\n" not in text else "several lines"


def _place(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(_PRODUCT)]
    last = frames[-1] if frames else traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.name}"


def _words(error: BaseException) -> str:
    return "".join(traceback.format_exception(error, limit=-6)).strip()
