"""How messages say a command, and failures that are nobody's bug."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from oic.tasks.stage_tasks import failure_of
from oic.tasks.words import as_oic

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("doit update image=edge.yml reads anew", "oic update edge.yml reads anew"),
        ("doit lock image=… writes a new one", "oic lock … writes a new one"),
        ("run doit verify-cache", "run oic verify-cache"),
        ("(see `doit lock`, please)", "(see `oic lock`, please)"),
        ("who doit? the database doit.db", "who doit? the database doit.db"),
    ],
)
def test_messages_say_the_command_that_the_user_has(text: str, said: str) -> None:
    assert as_oic(text) == said


def test_a_file_of_the_cache_that_belongs_to_somebody_else_is_no_bug(tmp_path: Path) -> None:
    def refused(file: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(file))

    failed = failure_of(tmp_path, refused, tmp_path / "slice/metadata.json")
    assert failed
    assert failed.message.startswith(f"{tmp_path}/slice/metadata.json: cannot use the cache: Permission denied (if the")
    with pytest.raises(PermissionError):
        failure_of(tmp_path / "cache", refused, tmp_path / "elsewhere")
