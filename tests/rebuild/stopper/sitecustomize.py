# ruff: noqa: INP001 - found by its name on the path, never imported as a package's
"""Put on a build's path by the tests that kill it: says, at one point of one stage, that it is there.

``OIC_TEST_POINT`` is ``stage event text count delay``: at the count-th audit event of this name (sys.addaudithook)
whose arguments hold the text, in whatever process of the build, a byte goes into the pipe ``OIC_TEST_PIPE``. Without a
delay the process then stands still; with one it goes on, and the byte follows after so many seconds.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any

_STAGE, _EVENT, _TEXT, _COUNT, _DELAY = os.environ.get("OIC_TEST_POINT", "- - - 0 0").split()


class _Point:
    def __init__(self, pipe: int) -> None:
        self.pipe = pipe
        self.armed = False
        self.left = int(_COUNT)

    def look(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "os.remove" and "/slice/" in str(args[0]):  # a stage that begins forgets what it was made from
            name = os.path.basename(args[0])
            self.armed = name == f"{_STAGE}.json" if not name.startswith(".") else self.armed
        if self.armed and event == _EVENT and any(_TEXT in str(arg) for arg in args):
            self.left -= 1
            if self.left == 0:
                self.reached()

    def reached(self) -> None:
        if float(_DELAY):
            threading.Thread(target=self.tell, args=(float(_DELAY),), daemon=True).start()
        else:
            self.tell(0)
            time.sleep(600)

    def tell(self, delay: float) -> None:
        time.sleep(delay)
        os.write(self.pipe, b"x")


if _STAGE != "-":
    _point = _Point(os.open(os.environ["OIC_TEST_PIPE"], os.O_WRONLY | os.O_CLOEXEC))
    sys.addaudithook(_point.look)
    if _EVENT == "record":
        from doit.dependency import Dependency

        _save = Dependency.save_success

        def _saved(self: Any, task: Any, *args: Any, **options: Any) -> None:
            _point.look("record", (task.name,))
            _save(self, task, *args, **options)

        Dependency.save_success = _saved
