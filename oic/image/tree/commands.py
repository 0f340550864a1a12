"""Runs the commands of the recipe in the image, in order, without network unless a command asks for it."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from oic.chroot import resolver
from oic.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oic.chroot.sandbox import Sandbox
    from oic.config.model import Command

_NETWORK_ERROR = re.compile(
    r"could not resolve|temporary failure (in name resolution|resolving)|network is unreachable|"
    r"name or service not known|no route to host|failed to connect|unable to connect|could not connect",
    re.IGNORECASE,
)


def run_commands(commands: Sequence[Command], box: Sandbox) -> None:
    """Run each command with the image's shell; raises ToolError that names the first one that fails."""
    for number, command in enumerate(commands):
        network = command.network
        with resolver.host_resolver(box) if network else contextlib.nullcontext():
            try:
                box.run(["/bin/sh", "-c", command.cmd], capture=False, network=network)
            except ToolError as error:
                raise _explained(error, number, network=network) from error


def _explained(error: ToolError, number: int, *, network: bool) -> ToolError:
    message = f"configurations[{number}]: {error.message}"
    hint = None
    if not network and _NETWORK_ERROR.search(error.message):
        hint = (
            "commands have no network; configurations[].network: true gives one, but the image is not reproducible then"
        )
    return ToolError(message, where=error.where, hint=hint)
