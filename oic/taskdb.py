"""doit's sqlite database, but every success is on disk at once: SIGKILL loses the stage it hits and no other.

The stock backend writes when the run ends. Losing the whole file costs time, never correctness, so it is not synced.
"""

from __future__ import annotations

from typing import Any

from doit.dependency import SqliteDB


class CommittingDB(SqliteDB):  # type: ignore[misc]
    """SqliteDB with a commit after each value."""

    desc = "sqlite3, committed after each task"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._conn.execute("pragma synchronous = off")

    def set(self, task_id: str, dependency: str, value: Any) -> None:
        """Store one value of a task; `dump` then has nothing left to do."""
        super().set(task_id, dependency, value)
        row = (task_id, self.codec.encode(self._cache[task_id]))
        self._conn.execute("insert or replace into doit values (?,?)", row)
        self._conn.commit()
