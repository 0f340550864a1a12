# ruff: noqa: INP001 - Python finds it by its name on the path; it is in no package
"""Reports when a build has reached a point of a stage; tests that kill builds put this module on the Python path.

``OIC_TEST_POINT`` is ``stage event text count delay``. At the count-th audit event of this name (sys.addaudithook)
whose arguments contain the text, in any process of the build, a byte is written to the pipe ``OIC_TEST_PIPE``. Without
a delay the process then stops; with a delay it continues, and the byte is written after so many seconds.
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
        if event == "os.remove" and "/slice/" in str(args[0]):  # a stage that begins removes the record of its inputs
            name = os.path.basename(args[0])
            if not name.startswith(".") and not name.endswith(".earlier.json"):
                self.armed = name == f"{_STAGE}.json"
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
