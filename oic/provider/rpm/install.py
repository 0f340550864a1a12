"""Install a set of packages by the target's own rpm, from the build environment, in one transaction.

::

    tools' tree with an upper layer ──> sandbox ── rpm --root /image ──> the layer, with a /proc, /dev and /tmp
                                      └── /dev/files/*.rpm: the packages, read-only

* The target's rpm writes the database, with times from SOURCE_DATE_EPOCH, so that it is reproducible.
* A scriptlet that fails is an error, unless the recipe or the distribution's data allow it. rpm itself continues after
  most failures and only prints a message, so its output is searched for them.
* After the transaction, the database must list exactly the packages of the set.
* While scriptlets run, /proc, /dev and /sys belong to the kernel, and an ordinary user cannot change their owner. rpm
  skips them (``%_netsharedpath``), and this module sets the modes that their package gives.
* rpm checks digests, but not signatures: `verify` has already checked these.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from oic.chroot import clock, sandbox, toolbox
from oic.chroot.tree import Filled
from oic.errors import OicError, ToolError
from oic.handover.tree import PassedOver
from oic.process import child, syscalls
from oic.process.host import full_disk
from oic.process.run import MAX_LOG_BYTES, ProgramTimeoutError, clipped
from oic.progress import note
from oic.provider.rpm.header import read_rpm
from oic.provider.rpm.hold import without_generators
from oic.provider.rpm.keybox import reproducible_keyring
from oic.provider.rpm.package import nevra_of
from oic.provider.rpm.scripts import ENDING, failures_in, missing_owners_in, refusals_in, script_in, space_needed_in
from oic.provider.rpm.tags import Tag
from oic.provider.scriptlets import scriptlet_error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from oic.chroot.sandbox import Sandbox
    from oic.chroot.tree import Tree
    from oic.ospackage.lock import LockedPackage
    from oic.provider.rpm.header import Header
    from oic.provider.rpm.package import Nevra

IMAGE = "image"
"""Where the layer is mounted in the build environment."""
_KERNELS_OWN = ("/proc", "/dev", "/sys")
_MOUNTED = (*_KERNELS_OWN, "/tmp")  # noqa: S108 - a name in a tree
_NAMED = 4
"""How many of rpm's errors are listed before its output."""
_DATABASES = ("var/lib/rpm", "usr/lib/sysimage/rpm")


def environment_at(epoch: int) -> dict[str, str]:
    """Return the environment variables for scriptlets and for a recipe's commands."""
    return {"SOURCE_DATE_EPOCH": str(epoch)}


def install(packages: Sequence[tuple[LockedPackage, Path]], tree: Tree, *, may_fail: Sequence[str] = ()) -> Filled:
    """Install packages into a mounted tree in one transaction; return their newest build time.

    Raises ToolError when a scriptlet fails or does not end.
    """
    headers = [_header(file, package.name) for package, file in packages]
    epoch = max([tree.epoch, *(header.number(Tag.BUILD_TIME, 0) for header in headers)])
    files = {f"{package.name}-{package.version.replace(':', '%3a')}.rpm": file for package, file in packages}
    start = tree.log.stat().st_size if tree.log.exists() else 0
    child.inside(tree.root, _make_mount_points)
    with (
        sandbox.opened(tree.root, tree.log) as box,
        toolbox.opened(tree.tools, tree.work, tree.log, files=files, max_file_bytes=sandbox.MAX_FILE_BYTES) as tools,
        without_generators(box) as search_path,
        reproducible_keyring(tree.root, epoch),
    ):
        child.inside(tools.root, _make_image_directory)
        if clock.current():  # the clock library, which rpm loads, shares its state with scriptlets in /dev/shm
            syscalls.mount(str(tools.dev / "shm"), str(box.dev / "shm"), flags=syscalls.MS_BIND)
        syscalls.mount(str(tree.root), str(tools.root / IMAGE), flags=syscalls.MS_BIND | syscalls.MS_REC)
        _run_transaction(list(files), headers, tree, tools, search_path, epoch)
        passed = _allowed_failures(headers, tree, start, may_fail)
        _check_database(headers, tree, tools)
    child.inside(tree.root, _finish, _modes_of(_MOUNTED, headers))
    return Filled(epoch=epoch, passed=passed)


def _header(file: Path, name: str) -> Header:
    with file.open("rb") as opened:
        return read_rpm(opened, f"{name} ({file})").header


def _make_image_directory(root: Path) -> None:
    (root / IMAGE).mkdir()


def _run_transaction(  # noqa: PLR0913 - the parts of one transaction
    names: Sequence[str],
    headers: Sequence[Header],
    tree: Tree,
    tools: Sandbox,
    search_path: str,
    epoch: int,
) -> None:
    files = [f"{sandbox.FILES}/{name}" for name in names]
    options = (
        *("--root", f"/{IMAGE}", "--install", "--verbose", "--noplugins", "--nosignature"),
        *("--define", f"_netsharedpath {':'.join(_KERNELS_OWN)}"),
        *("--define", f"_install_script_path {search_path}"),
    )
    start = tree.log.stat().st_size if tree.log.exists() else 0
    try:
        tools.run(["rpm", *options, *files], env=environment_at(epoch), capture=False, check_log=True)
    except ProgramTimeoutError as error:
        raise _timeout_error(error, tree.root, headers) from error
    except ToolError as error:
        raise _error_with_reasons(error, tree, start) from error
    for owner in missing_owners_in(_output_of(tree, start)):
        note(f"files of the {owner} belong to root: there was no such {owner.partition(' ')[0]} when rpm wrote them")


def _allowed_failures(
    headers: Sequence[Header], tree: Tree, start: int, may_fail: Sequence[str]
) -> tuple[PassedOver, ...]:
    """Return the scriptlets that failed and are allowed to; raises ToolError with those that are not.

    rpm continues after most failures, as dnf and tdnf do. A failure that makes rpm skip the package (`ENDING`) is never
    allowed, and neither is one whose package is unknown.
    """
    known = {named: nevra.name for nevra in map(nevra_of, headers) for named in _names_in_output(nevra)}
    failed = failures_in(_output_of(tree, start), known)
    never = [one for one in failed if not one.package or one.phase in ENDING]
    if never:
        raise ToolError("; ".join(map(str, never)), where=str(tree.log))
    passed = tuple(PassedOver(package=one.package, phase=one.phase, how=one.how, lines=one.lines) for one in failed)
    if refused := [one for one in passed if not one.is_let_pass(may_fail)]:
        raise scriptlet_error(refused, where=str(tree.log))
    return passed


def _names_in_output(nevra: Nevra) -> tuple[str, str]:
    """Return name, version and release without and with the epoch: rpm prints an epoch of 0 if the header has one."""
    epoch, _, rest = nevra.version.rpartition(":")
    return f"{nevra.name}-{rest}", f"{nevra.name}-{epoch or 0}:{rest}"


def _check_database(headers: Sequence[Header], tree: Tree, tools: Sandbox) -> None:
    """Raise ToolError unless rpm's database lists exactly these packages: a scriptlet could have changed it."""
    line = "%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE} %{ARCH}\\n"
    hint = "did a scriptlet change it?"
    expected = {_full_name(header) for header in headers}
    message = f"expected {len(expected)} packages in rpm's database, found"
    try:
        listed = tools.run(["rpm", "--root", f"/{IMAGE}", "-qa", "--queryformat", line]).text.splitlines()
    except ToolError as error:
        raise ToolError(f"{message} one that cannot be read: {error.message}", where=error.where, hint=hint) from error
    found = {entry for entry in listed if not entry.startswith("gpg-pubkey ")}
    if found != expected:
        differing = sorted(expected ^ found)
        raise ToolError(f"{message} {len(found)}: {differing[0]} differs", where=str(tree.log), hint=hint)


def _full_name(header: Header) -> str:
    nevra = nevra_of(header)
    return f"{nevra.name} {'' if ':' in nevra.version else '0:'}{nevra.version} {nevra.architecture}"


def _output_of(tree: Tree, start: int) -> str:
    if not tree.log.exists():  # rpm was not started
        return ""
    with tree.log.open("rb") as log:
        log.seek(max(start, log.seek(0, os.SEEK_END) - MAX_LOG_BYTES))
        return clipped(log.read().decode("utf-8", "replace"))


def _error_with_reasons(error: ToolError, tree: Tree, start: int) -> OicError:
    """Return the error with the failed scriptlets, or what rpm refused, before rpm's output."""
    output = _output_of(tree, start)
    if needed := space_needed_in(output):
        return full_disk(tree.log, f"installing the packages: rpm needs {needed}")
    why = [str(one) for one in failures_in(output, {})] or refusals_in(output)
    more = [f"{len(why) - _NAMED} more"] if len(why) > _NAMED else []
    return ToolError("; ".join([*why[:_NAMED], *more, error.message]), where=error.where, hint=error.hint)


def _timeout_error(error: ProgramTimeoutError, root: Path, headers: Sequence[Header]) -> ToolError:
    """Return the error with the scriptlet that ran when the time was over: rpm keeps its text in a file."""
    texts = child.inside(root, _running_scripts)
    running = [name for text in texts for header in headers if (name := script_in(header, text))]
    who = f"the scriptlet {running[0]}" if running else "a scriptlet or rpm itself"
    return ToolError(f"{who} did not end: {error.message}", where=error.where, hint=error.hint)


def _running_scripts(root: Path) -> list[str]:
    return [path.read_text("utf-8", "replace") for path in sorted(root.glob("var/tmp/rpm-tmp.*")) if path.is_file()]


def _make_mount_points(root: Path) -> None:
    for path in _MOUNTED:
        (root / path[1:]).mkdir(mode=0o755, exist_ok=True)


def _modes_of(paths: Sequence[str], headers: Sequence[Header]) -> dict[str, int]:
    """Return the modes that the packages give to these directories."""
    modes: dict[str, int] = {}
    for header in headers:
        folders = header.strings(Tag.DIRECTORY_NAMES)
        names = zip(header.numbers(Tag.DIRECTORY_INDEXES), header.strings(Tag.BASE_NAMES), strict=True)
        for (folder, name), mode in zip(names, header.numbers(Tag.FILE_MODES), strict=True):
            path = folders[folder] + name
            if path in paths:
                modes.setdefault(path, mode & 0o7777)
    return modes


def _finish(root: Path, modes: Mapping[str, int]) -> None:
    """Set the modes of the mounted directories, and close the database.

    Raises ToolError when the database's journal has content that is not in the database. Journal and shared memory stay
    as empty files: without them, only root could open it (sqlite's "Write-Ahead Logging", on read-only databases).
    """
    for path, mode in modes.items():
        (root / path[1:]).chmod(mode)
    for place in _DATABASES:
        for journal in (root / place).glob("*-wal"):
            if journal.stat().st_size:
                raise ToolError("expected rpm to have closed its database, found an open journal", where=str(journal))
        for memory in (root / place).glob("*-shm"):
            memory.write_bytes(bytes(memory.stat().st_size))
        (root / place / ".rpm.lock").unlink(missing_ok=True)
