"""``clean``: what the tasks wrote for a recipe is removed, and each path is said, or only said.

* A stage's own files: its hand-overs, its artefacts in the image's directory, its records and its log.
* With no task named, the whole directory of the image, whatever version of the recipe wrote it.
* Layers and blobs are shared and stay: ``prune`` removes those that no image names.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING, Any

from doit.cmd_clean import Clean as DoitClean
from doit.exceptions import InvalidCommand

from oic.errors import OicError
from oic.tasks import claim

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from doit.task import Task

    from oic.stage import Stage


class Clean(DoitClean):  # type: ignore[misc]
    """``clean`` that says which paths it removes, and with ``--dry-run`` which it would remove."""

    def clean_tasks(self, tasks: Sequence[Task], dryrun: bool, cleanforget: bool) -> None:  # noqa: FBT001 - doit's signature
        """Remove what these tasks wrote. The clean action of a task returns the paths, and removes nothing."""
        said: set[Path] = set()
        try:
            for task in tasks:
                found = [path for action in task.clean_actions for path in action.py_callable(*action.args)]
                for path in found:
                    if os.path.lexists(path) and not said & {path, *path.parents}:
                        said.add(path)
                        self.outstream.write(f"{'would remove' if dryrun else 'removed'} {path}  {_size(path)}\n")
                        remove(path, dry_run=dryrun)
                if cleanforget and not dryrun:
                    self.dep_manager.remove(task.name)
        except OicError as error:
            raise InvalidCommand(str(error)) from None
        finally:
            self.dep_manager.close()
        if not said:
            self.outstream.write("nothing to remove\n")


def files_of_stage(stage: Stage[Any]) -> Iterator[Path]:
    """Claim the image's directory; yield what a stage wrote there. Raises OicError."""
    claim.take(stage.directory, stage.recipe)
    yield from (stage.origin_file, stage.earlier_origin_file, stage.seen_file, stage.log)
    with contextlib.suppress(ValueError):  # a damaged hand-over names nothing
        for entry in list(stage.artefact_paths()):
            if entry.startswith(f"{stage.image}/"):
                yield stage.cache / entry
    yield from stage.outputs


def files_of_image(directory: Path, recipe: Path) -> Iterator[Path]:
    """Claim the image's directory; yield what is in it but the claim itself. Raises OicError."""
    claim.take(directory, recipe)
    yield from sorted(path for path in directory.iterdir() if path.name != claim.FILE)


def remove(path: Path, *, dry_run: bool = False) -> None:
    """Remove a file or a directory, in a namespace if files in it have owners that only exist there."""
    if dry_run:
        return
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path)
    except PermissionError:
        from oic.chroot import creation  # noqa: PLC0415 - it brings all that enters a namespace

        creation.remove([path])


def disk_use(path: Path) -> int:
    """Return the bytes that a file, or a directory with all below it, takes on the disk."""
    inodes = {}
    below = [os.path.join(top, name) for top, folders, names in os.walk(path) for name in (*folders, *names)]
    for entry in (str(path), *below):
        with contextlib.suppress(OSError):  # what has just gone takes nothing
            status = os.lstat(entry)
            inodes[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(inodes.values())


def _size(path: Path) -> str:
    return f"{disk_use(path) / 1e6:.1f} MB"
