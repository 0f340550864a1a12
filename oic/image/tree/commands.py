"""Runs the commands of the recipe in the image, in order, without network unless a command asks for it.

Each command has a log of its own; the stage's log says how each ended.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oic.chroot import resolver
from oic.errors import ToolError
from oic.process import child

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.chroot.sandbox import Sandbox
    from oic.config.model import Command

_SHELLS = ("/bin/bash", "/bin/sh")
_NETWORK_ERROR = re.compile(
    r"could not resolve|temporary failure (in name resolution|resolving)|network is unreachable|"
    r"name or service not known|no route to host|failed to connect|unable to connect|could not connect",
    re.IGNORECASE,
)


def run_commands(commands: Sequence[Command], box: Sandbox, logs: Sequence[Path]) -> None:
    """Run each command with bash, or sh where there is none; raises ToolError naming the first that fails.

    `logs` are empty files, one for each command.
    """
    shell = child.inside(box.root, _shell)
    for number, (command, log) in enumerate(zip(commands, logs, strict=True)):
        network = command.network
        with resolver.host_resolver(box) if network else contextlib.nullcontext():
            try:
                replace(box, log=log).run([shell, "-c", command.cmd], capture=False, network=network)
            except ToolError as error:
                _note(box.log, number, "failed", log)
                raise _explained(error, number, network=network) from error
        _note(box.log, number, "exit status 0", log)


def _shell(root: Path) -> str:
    return next((shell for shell in _SHELLS if (root / shell.lstrip("/")).exists()), _SHELLS[-1])


def _note(log: Path, number: int, ended: str, own: Path) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(f"configurations[{number}]: {ended}, its output is in {own.name}\n")


def _explained(error: ToolError, number: int, *, network: bool) -> ToolError:
    message = f"configurations[{number}]: {error.message}"
    hint = None
    if not network and _NETWORK_ERROR.search(error.message):
        hint = (
            "commands have no network; configurations[].network: true gives one, but the image is not reproducible then"
        )
    return ToolError(message, where=error.where, hint=hint)
