"""A function run in a child process; its result, or the error it raised, comes back through a pipe.

* A child dies with its parent, whatever kills that, and with the wait for it: who is stopped cleans up alone.
* An `OicError` arrives as it was raised; any other exception is a bug and arrives with the child's traceback. One
  that somebody killed is a `ToolError`.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import select
import signal
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from oic.errors import OicError, ToolError
from oic.process import syscalls
from oic.process.run import PATIENCE, patience

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_MEMORY = 4 << 30
"""Bytes of address space for work on a tree."""
_EACH = 100_000
"""The work of an item by itself, in bytes of its content."""


class ChildError(RuntimeError):
    """A child failed in a way nobody foresaw; the message is its traceback."""


@dataclass(frozen=True, slots=True)
class Child(Generic[Result]):
    """A started child: `pid` and the reading end of its pipe."""

    pid: int
    pipe: int

    def result(self, timeout: float | None = None) -> Result:
        """Wait for the child and return what its function returned; raises what it raised.

        Raises ToolError when it has nothing to say after `timeout` seconds.
        """
        try:
            if timeout is not None:
                self._await_word(timeout)
            with os.fdopen(self.pipe, "rb", closefd=False) as pipe:
                data = pipe.read()
        except BaseException:  # stopped: by Ctrl-C or SIGTERM
            self.end()
            raise
        os.close(self.pipe)
        _, status = os.waitpid(self.pid, 0)
        if not data and os.WIFSIGNALED(status):
            killed = signal.Signals(os.WTERMSIG(status)).name
            raise ToolError(f"a process of the build was killed by {killed}", hint="was memory short? build again")
        if not data:
            raise ChildError(f"a build process ended without a word (wait status {status})")
        return _value(data)  # type: ignore[no-any-return]

    def _await_word(self, timeout: float) -> None:
        poll = select.poll()
        poll.register(self.pipe, select.POLLIN)
        if not poll.poll(timeout * 1000):
            hint = f"does a tree have a FIFO where a file is expected? {PATIENCE}=SECONDS sets another limit"
            raise ToolError(f"a process of the build did not end within {timeout:.0f} s and was killed", hint=hint)

    def end(self) -> None:
        """Kill a child that nobody waits for, and see it gone."""
        os.close(self.pipe)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def _value(data: bytes) -> Any:
    kind, value = pickle.loads(data)  # noqa: S301 - written by our own fork, not by a package
    if kind == "value":
        return value
    if isinstance(value, BaseException):
        raise value
    raise ChildError(value)


def start(function: Callable[..., Result], *args: object) -> Child[Result]:
    """Fork; run ``function(*args)`` in the child."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _run_and_leave(writer, function, args)
    os.close(writer)
    return Child(pid, reader)


def _run_and_leave(writer: int, function: Callable[..., Any], args: Sequence[object]) -> None:
    status = 1
    try:
        syscalls.die_with_parent(writer)
        data = outcome(function, args)
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(data)
        status = 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def outcome(function: Callable[..., Any], args: Sequence[object]) -> bytes:
    """Return the pickled result or error of ``function(*args)``."""
    try:
        return pickle.dumps(("value", function(*args)))
    except (OicError, KeyboardInterrupt, SystemExit) as error:
        return pickle.dumps(("error", error))
    except OSError as error:
        error.add_note(traceback.format_exc())
        return pickle.dumps(("error", error))
    except MemoryError:
        return pickle.dumps(("error", ToolError(f"{function.__name__}: a file of the tree is too long for memory")))
    except BaseException:  # noqa: BLE001 - nothing may be lost between two processes
        return pickle.dumps(("error", traceback.format_exc()))


def inside(root: Path, function: Callable[..., Result], *args: object) -> Result:
    """Return ``function(Path("/"), *args)``, run in a child that has changed root: no link leads it out of the tree.

    The child sees the file system of `root` and nothing that is mounted below it. A link to /proc/self/fd/1 or
    /proc/self/environ would lead to what this process has open, and past a read-only mount, as it was opened before.
    A FIFO where a file is expected, or a file of endless length, ends it with a ToolError: by OIC_PATIENCE and
    `MAX_MEMORY`.
    """
    timeout = patience()
    changed: Child[Result] = start(_changed_root, root, function, args)
    return changed.result(timeout)


def _changed_root(root: Path, function: Callable[..., Result], args: tuple[object, ...]) -> Result:
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.mount(str(root), str(root), flags=syscalls.MS_BIND)
    os.chroot(root)
    os.chdir("/")
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY if hard == resource.RLIM_INFINITY else hard, hard))
    return function(Path("/"), *args)


def end_all() -> None:
    """Kill and reap every other process of the namespace that this one is process 1 of, whoever started it."""
    assert os.getpid() == 1, "only the first process of a namespace may end all others"
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def call_all(calls: Sequence[tuple[Callable[..., Result], Sequence[object]]]) -> list[Result]:
    """Run every call in a child of its own at the same time; return the results in order; raise the first error.

    Every child is waited for before an error rises; a stop ends them all.
    """
    children = [start(function, *args) for function, args in calls]
    results: list[Result] = []
    problem: Exception | None = None
    for number, child in enumerate(children, start=1):
        try:
            results.append(child.result())
        except Exception as error:  # noqa: BLE001 - whatever it is, it rises below
            problem = problem or error
        except BaseException:
            for other in children[number:]:
                other.end()
            raise
    if problem:
        raise problem
    return results


def shares(items: Sequence[Item], sizes: Sequence[int], jobs: int) -> list[list[Item]]:
    """Split items of these `sizes`, in bytes, into at most `jobs` shares of about as much work, each in their order."""
    made: list[list[int]] = [[] for _ in range(min(jobs, len(items)))]
    weights = [0] * len(made)
    for index in sorted(range(len(items)), key=lambda index: -sizes[index]):
        lightest = weights.index(min(weights))
        made[lightest].append(index)
        weights[lightest] += sizes[index] + _EACH
    return [[items[index] for index in sorted(share)] for share in made]
