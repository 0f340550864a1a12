"""An installation from beginning to end: what is checked, then what is written.

Before the line in `install` that says so, nothing is written to any disk.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import checks, writing
from .boot_entry import set_boot_entry
from .choice import INSTALLED, INTERRUPTED, Wish, choose_disk, size_text
from .contents import contents_of, has_foreign_file_system
from .disks import Disk, Machine, disk_of_partition, disks_of
from .errors import InstallError
from .grow import EXT, MOUNTED, grow_ext
from .marker import is_installed, is_interrupted
from .mounts import grow_in_mount, mounted_system
from .personal import personalise
from .sources import find_answers
from .table import try_table, write_table

if TYPE_CHECKING:
    from .answers import Answers
    from .payload import Payload
    from .screen import Screen
    from .sources import Found
    from .table import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be done: `file` is a plain file in place of a disk; with `dry_run` nothing is written.

    `answers` is a file whose answers win over all others.
    """

    machine: Machine
    answers: Path | None = None
    file: str = ""
    dry_run: bool = False


def install(job: Job, screen: Screen) -> Answers:
    """Install, and return the answers: they say what follows. Raises InstallError."""
    machine, medium = job.machine, job.machine.medium
    payload = checks.read_payload(medium)
    screen.say(f"Installing {payload.image} {payload.version} ({payload.system})")
    if not job.file:
        checks.check_firmware(payload, machine)
    found = find_answers(machine, job.answers, looks_for_second=not job.file)
    answers = found.answers
    screen.say(f"Answers: {', '.join(found.names) or 'none, as the recipe says'}")
    if job.file and answers.changes_system:
        hint = "leave out hostname, users and network; nothing was written"
        raise InstallError("the answers change files of the system, and a plain file cannot be mounted", hint=hint)
    checks.check_root(payload, answers)
    checks.check_programs(payload, answers, mounts=not job.file)
    disk = _chosen(job, payload, found)
    spans = try_table(payload, disk.size)
    screen.say(f"Disk: {disk.path}, {size_text(disk.size)}{f', {disk.model}' if disk.model else ''}")
    checks.check_payload(payload, medium, screen.progress("Checking the medium", payload.stored))
    checks.check_memory(payload, machine)
    if job.dry_run:
        _say_plan(payload, disk, spans, screen)
        return answers
    # From here on the disk is written.
    try:
        _write(job, payload, disk, answers, screen)
    except InstallError as error:
        state = f"{disk.path} was being written and does not boot; an installation from this medium may begin anew"
        raise InstallError(error.message, hint=f"{error.hint}\n    {state}".strip()) from None
    return answers


def wish_of(payload: Payload, answers: Answers) -> Wish:
    """Return what answers say of the disk, else the recipe; a path or a strategy of answers replaces both."""
    policy = payload.disk
    is_answered = bool(answers.disk or answers.strategy)
    removable, empty = answers.exclude_removable, answers.require_empty
    return Wish(
        path=answers.disk if is_answered else policy.path,
        strategy=answers.strategy if is_answered else policy.strategy,
        exclude_removable=policy.exclude_removable if removable is None else removable,
        require_empty=policy.require_empty if empty is None else empty,
        least=payload.least,
    )


def _chosen(job: Job, payload: Payload, found: Found) -> Disk:
    wish = wish_of(payload, found.answers)
    if job.file:
        disks = [Disk(path=job.file, size=checks.read_size(Path(job.file)))]
        wish = replace(wish, path=job.file)
    else:
        disks = _without_answers(job.machine, disks_of(job.machine), found)
        wish = replace(wish, path=_resolved(job.machine, wish.path)) if wish.path else wish
    contents = {disk.path: _contents(disk, payload, job.machine.medium) for disk in disks}
    return choose_disk(disks, contents, wish)


def _without_answers(machine: Machine, disks: list[Disk], found: Found) -> list[Disk]:
    """Return the disks, where one that answers were read from is in use by that."""
    names = {Path(device).name for device in found.devices}
    names |= {disk_of_partition(machine, name) for name in names}
    return [
        replace(disk, used=disk.used or "has the answers") if Path(disk.path).name in names else disk for disk in disks
    ]


def _resolved(machine: Machine, path: str) -> str:
    """Return the device that a path such as /dev/disk/by-id/NAME leads to; raises InstallError for a partition."""
    resolved = os.path.realpath(path)
    if whole := disk_of_partition(machine, Path(resolved).name):
        text = f"expected a whole disk at {path}, found a partition of {machine.dev / whole}"
        raise InstallError(text, hint="nothing was written")
    return resolved


def _contents(disk: Disk, payload: Payload, medium: Path) -> str:
    """Return what is on a disk: of an interrupted installation only that, as long as it has nobody else's files.

    A complete one is said behind the rest.
    """
    contents = contents_of(disk)
    if not contents or disk.used:
        return contents
    try:
        fd = os.open(disk.path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return contents
    try:
        if is_interrupted(payload, fd, disk.size) and not has_foreign_file_system(disk.path, payload, medium):
            return INTERRUPTED
        return f"{contents}, {INSTALLED}" if is_installed(payload, fd) else contents
    except (OSError, InstallError):
        return contents
    finally:
        os.close(fd)


def _say_plan(payload: Payload, disk: Disk, spans: dict[int, Span], screen: Screen) -> None:
    lines = [f"Would erase {disk.path} and write:"]
    for one in payload.partitions:
        span = spans[one.number]
        what = " ".join(part for part in (one.type, one.at) if part)
        lines.append(f"  {one.number:3}  {size_text(span.size):>10} at {size_text(span.start):<10}  {one.id}  {what}")
    screen.say("\n".join([*lines, "Nothing was written (--dry-run)."]))


def _write(job: Job, payload: Payload, disk: Disk, answers: Answers, screen: Screen) -> None:
    medium = job.machine.medium
    progress = screen.progress("Writing", writing.written_size(payload))
    with writing.locked(disk.path):
        screen.say(f"Erasing {disk.path}")
        with writing.opened(disk.path) as fd:
            writing.wipe(fd, disk.size, payload, try_table(payload, disk.size))
        screen.say("Writing the partition table")
        spans = write_table(payload, disk.path)
        with writing.opened(disk.path) as fd:
            writing.reread_table(fd)
            screen.say("Writing the file systems")
            writing.write_file_systems(fd, medium, payload, progress)
        _grow(job, payload, disk, spans, screen)
        if answers.changes_system:
            screen.say("Applying the answers")
            with mounted_system(job.machine, disk.path, payload) as root:
                personalise(root, answers)
        with writing.opened(disk.path) as fd:
            screen.say("Writing what boots")
            writing.write_boot(fd, medium, payload, progress)
    if not job.file:
        uuids = {number: span.uuid for number, span in spans.items()}
        said = set_boot_entry(job.machine, disk.path, payload, uuids)
        screen.say(said or "The firmware boots the disk by its order of devices.")
    screen.say(f"Installed {payload.image} {payload.version} on {disk.path}")


def _grow(job: Job, payload: Payload, disk: Disk, spans: dict[int, Span], screen: Screen) -> None:
    for one in payload.partitions:
        span = spans[one.number]
        if not one.grows or not one.image or span.size == one.image.size:
            continue
        if one.type in EXT:
            screen.say(f"Growing {one.id} to {size_text(span.size)}")
            grow_ext(disk.path, span)
        elif one.type in MOUNTED and not job.file:
            screen.say(f"Growing {one.id} to {size_text(span.size)}")
            grow_in_mount(job.machine, disk.path, one)
        else:
            screen.say(f"Not growing {one.id}: {one.type or 'no file system'} stays as large as its image")
