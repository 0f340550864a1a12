"""doit's sqlite database, but every success is on disk at once: SIGKILL loses the stage it hits and no other.

The stock backend writes when the run ends. Losing the whole file costs time, never correctness, so it is not synced,
and what cannot be recorded (a full disk) is a warning: that stage will run again.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from typing import TYPE_CHECKING, Any

import msgspec
from doit.dependency import DatabaseException, SqliteDB
from doit.exceptions import InvalidCommand

if TYPE_CHECKING:
    from pathlib import Path

_BUSY_TIMEOUT = 60_000  # milliseconds for another build to finish its commit


def tasks_that_ran(file: Path) -> set[str]:
    """Return the tasks that the database remembers to have run; none when it cannot be read."""
    try:
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute("select task_id, task_data from doit").fetchall()
    except sqlite3.Error:
        return set()
    return {task for task, data in rows if msgspec.json.decode(data).get("_values_:")}


class CommittingDB(SqliteDB):  # type: ignore[misc]
    """SqliteDB with a commit after each value."""

    desc = "sqlite3, committed after each task"

    def __init__(self, *args: Any, **options: Any) -> None:
        try:
            super().__init__(*args, **options)
            self._conn.execute(f"pragma busy_timeout = {_BUSY_TIMEOUT}")
            self._conn.execute("pragma synchronous = off")
        except (sqlite3.Error, DatabaseException) as error:
            said = " ".join(str(error.__context__ or error).split())
            hint = "is the disk full? if the file is damaged, delete it: only time is lost"
            raise InvalidCommand(f"{args[0]}: cannot be used: {said} ({hint})") from None
        self._warned = False

    def set(self, task_id: str, dependency: str, value: Any) -> None:
        """Store one value of a task; `dump` then has nothing left to do."""
        super().set(task_id, dependency, value)
        row = (task_id, self.codec.encode(self._cache[task_id]))
        try:
            self._conn.execute("insert or replace into doit values (?,?)", row)
            self._conn.commit()
        except sqlite3.Error as error:
            self._warn(error)
        self._dirty.discard(task_id)

    def remove(self, task_id: str) -> None:
        """Forget a task, at once: an open transaction would make every other build wait."""
        try:
            super().remove(task_id)
            self._conn.commit()
        except sqlite3.Error as error:
            self._warn(error)

    def dump(self) -> None:
        """Close the database."""
        try:
            super().dump()
        except sqlite3.Error as error:
            self._warn(error)

    def _warn(self, error: sqlite3.Error) -> None:
        if not self._warned:
            self._warned = True
            sys.stderr.write(f"{self.name}: {error}: what is done now may be done again next time\n")
