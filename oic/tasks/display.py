"""The terminal's display: lines that stay, and below them one live line for each task that runs.

      rootfs    147 packages (4.1 s)
    ⠋ initrd    dracut                                       0:00:03
    ⠙ fs        mkfs.ext4 rootfs    ━━━━━━━━╸━━━━   61/100   0:00:02

A process of its own draws it, so that the build's processes, which fork and enter namespaces, have no threads. It ends
with the last event, or when every process that could send one is gone.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import msgspec

from oic import progress
from oic.tasks.mistakes import painted_failure
from oic.tasks.output import Paint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID

_NAME = 9
_REFRESHES = 10  # a second
_MIN_WIDTH_OF_TEXT = 12


def start(reader: int) -> int:
    """Fork the process that draws what comes out of a pipe; return its number."""
    pid = os.fork()
    if pid == 0:
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # it shows how the build ends
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            _draw(reader)
        finally:
            os._exit(0)
    return pid


def painted(text: str, kind: str, paint: Paint) -> str:
    """Return a line that stays in the colours of its kind."""
    if kind == "done":
        name = text[: _NAME + 2]
        return paint.green(name) + text[_NAME + 2 :]
    if kind == "failed":
        return "\n".join(painted_failure(line, paint) for line in text.split("\n"))
    paints = {"reused": paint.dim, "printed": paint.dim, "note": paint.yellow}
    return paints[kind](text) if kind in paints else text


def _draw(reader: int) -> None:
    from rich.console import Console  # noqa: PLC0415 - 0.1 s that only a build on a terminal need spend
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
    from rich.table import Column  # noqa: PLC0415

    paint = Paint.of(sys.stderr)
    console = Console(file=sys.stderr, highlight=False, no_color=not paint.on)
    spinner = "dots" if "utf" in console.encoding.lower() else "line"
    text = Column(ratio=1, no_wrap=True, overflow="ellipsis", min_width=_MIN_WIDTH_OF_TEXT)
    columns = (
        SpinnerColumn(spinner),
        TextColumn("{task.fields[name]}", markup=False),
        TextColumn("{task.description}", table_column=text, markup=False),
        BarColumn(bar_width=14),
        TextColumn("{task.fields[amount]}", justify="right", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, refresh_per_second=_REFRESHES, transient=True, expand=True) as display:
        console.show_cursor(show=True)  # this process may be killed
        _show_all(reader, display, paint)


def _show_all(reader: int, display: Progress, paint: Paint) -> None:
    from rich.text import Text  # noqa: PLC0415 - as in _draw

    rows: dict[str, TaskID] = {}
    for event in _events(reader):
        match event:
            case progress.Line(text=text, kind=kind):
                display.console.print(Text.from_ansi(painted(text, kind, paint)), soft_wrap=True)
            case progress.Started(task=task, name=name):
                rows[task] = display.add_task("", total=None, name=f"{name:{_NAME}}", amount="")
            case progress.Doing(task=task) if task in rows:
                amount = _amount(event)
                total = event.total or None
                display.update(rows[task], description=event.text, completed=event.done, total=total, amount=amount)
            case progress.Ended(task=task) if task in rows:
                display.remove_task(rows.pop(task))
            case progress.Closed():
                return


def _amount(event: progress.Doing) -> str:
    if not event.total:
        return ""
    return f"{event.done / 1e6:.1f}/{event.total / 1e6:.1f} MB" if event.unit == "B" else f"{event.done}/{event.total}"


def _events(reader: int) -> Iterator[progress.Event]:
    decoder = msgspec.json.Decoder(progress.Event)
    with os.fdopen(reader, "rb") as pipe:
        for line in pipe:
            yield decoder.decode(line)
