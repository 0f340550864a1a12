"""Runs a function in a child process; its result or the error it raised comes back through a pipe.

* The kernel kills a child when its parent dies. Interrupting the wait kills the child; the parent cleans up.
* An `OicError` is raised again in the parent as it was. Any other exception is a bug and arrives with the child's
  traceback. A child that was killed by a signal is a `ToolError`.
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
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct

from oic.errors import OicError, ToolError
from oic.process import syscalls
from oic.process.run import TIMEOUT_VARIABLE, program_timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_MEMORY = 4 << 30
"""The address space that a child working on a tree may use, in bytes."""
_ITEM_COST = 100_000
"""Fixed cost per item, in byte equivalents."""


class ChildError(RuntimeError):
    """A child raised an unexpected exception; the message is its traceback."""


class Child(Struct, Generic[Result], frozen=True):
    """A running child: its `pid` and the reading end of its pipe."""

    pid: int
    pipe: int

    def result(self, timeout: float | None = None) -> Result:
        """Wait for the child and return the result of its function, or raise its error.

        Raises ToolError when the child has written no result after `timeout` seconds.
        """
        try:
            if timeout is not None:
                self._await_result(timeout)
            with os.fdopen(self.pipe, "rb", closefd=False) as pipe:
                data = pipe.read()
        except BaseException:  # by Ctrl-C or SIGTERM
            self.end()
            raise
        os.close(self.pipe)
        _, status = os.waitpid(self.pid, 0)
        if not data and os.WIFSIGNALED(status):
            killed = signal.Signals(os.WTERMSIG(status)).name
            raise ToolError(f"a process of the build was killed by {killed}", hint="out of memory? build again")
        if not data:
            raise ChildError(f"a process of the build ended without a result (wait status {status})")
        return _value(data)  # type: ignore[no-any-return]

    def _await_result(self, timeout: float) -> None:
        poll = select.poll()
        poll.register(self.pipe, select.POLLIN)
        if not poll.poll(timeout * 1000):
            hint = f"is there a FIFO where a file is expected? {TIMEOUT_VARIABLE}=SECONDS changes the limit"
            raise ToolError(f"a process of the build did not end within {timeout:.0f} s and was killed", hint=hint)

    def end(self) -> None:
        """Kill and reap the child when its result is not needed any more."""
        os.close(self.pipe)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def _value(data: bytes) -> Any:
    kind, value = pickle.loads(data)  # noqa: S301 - written by a fork of this process, not by a package
    if kind == "value":
        return value
    if isinstance(value, BaseException):
        raise value
    raise ChildError(value)


def start(function: Callable[..., Result], *args: object) -> Child[Result]:
    """Fork, and run ``function(*args)`` in the child."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _run_and_exit(writer, function, args)
    os.close(writer)
    return Child(pid, reader)


def _run_and_exit(writer: int, function: Callable[..., Any], args: Sequence[object]) -> None:
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
        return pickle.dumps(("error", ToolError(f"{function.__name__}: a file of the tree is larger than memory")))
    except BaseException:  # noqa: BLE001 - the parent must get every error
        return pickle.dumps(("error", traceback.format_exc()))


def inside(root: Path, function: Callable[..., Result], *args: object) -> Result:
    """Return ``function(Path("/"), *args)``, run in a child whose root is `root`: no link leads it out of the tree.

    The child sees the file system of `root` without anything that is mounted below it. Were /proc mounted, a link to
    /proc/self/fd/1 or /proc/self/environ would lead to open files of this process, even past a read-only mount.
    A FIFO where a file is expected, or a file without an end, stops the child with a ToolError, by means of
    OIC_PROGRAM_TIMEOUT and `MAX_MEMORY`.
    """
    timeout = program_timeout()
    child: Child[Result] = start(_run_in_root, root, function, args)
    return child.result(timeout)


def _run_in_root(root: Path, function: Callable[..., Result], args: tuple[object, ...]) -> Result:
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.mount(str(root), str(root), flags=syscalls.MS_BIND)
    os.chroot(root)
    os.chdir("/")
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY if hard == resource.RLIM_INFINITY else hard, hard))
    return function(Path("/"), *args)


def end_all() -> None:
    """Kill and reap every other process of this pid namespace, whose process 1 this one must be."""
    assert os.getpid() == 1, "only the first process of a namespace may end all others"
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def call_all(calls: Sequence[tuple[Callable[..., Result], Sequence[object]]]) -> list[Result]:
    """Run every call in a child of its own at the same time; return the results in order, or raise the first error.

    An error is raised after all children have ended. Ctrl-C or SIGTERM kills them all.
    """
    children = [start(function, *args) for function, args in calls]
    results: list[Result] = []
    problem: Exception | None = None
    for number, child in enumerate(children, start=1):
        try:
            results.append(child.result())
        except Exception as error:  # noqa: BLE001 - raised below
            problem = problem or error
        except BaseException:
            for other in children[number:]:
                other.end()
            raise
    if problem:
        raise problem
    return results


def shares(items: Sequence[Item], sizes: Sequence[int], jobs: int) -> list[list[Item]]:
    """Split items of the given `sizes`, in bytes, into at most `jobs` shares of about equal work, each in order."""
    parts: list[list[int]] = [[] for _ in range(min(jobs, len(items)))]
    weights = [0] * len(parts)
    for index in sorted(range(len(items)), key=lambda index: -sizes[index]):
        lightest = weights.index(min(weights))
        parts[lightest].append(index)
        weights[lightest] += sizes[index] + _ITEM_COST
    return [[items[index] for index in sorted(part)] for part in parts]
