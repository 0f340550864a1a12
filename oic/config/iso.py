"""ISO images, and the initramfs that one boots: what a recipe says of them.

    iso.mode                                       what the medium offers: live, unattended, attended
    iso.repository                                 whether it carries the packages
    root's startupScript in the initramfs's recipe decides where the ISO's has no iso.mode, as in public templates
    disk.path, disk.selectionPolicy, iso.answers   answers: with some, an attended installer becomes unattended

A recipe of an initramfs that names an installer of the public tool means this project's.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from oic.config.disk import ISO
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.config.model import System
    from oic.config.source import Node

    Found = Iterator[tuple[Node, str]]

LIVE, UNATTENDED, ATTENDED = "live", "unattended", "attended"


class DiskChoice(Value):
    """Which disk an installation takes: the one at `path`, or by a `strategy` (``first``, ``largest``, ``fastest``)."""

    path: str
    strategy: str
    exclude_removable: bool
    require_empty: bool


class Iso(Value):
    """What an ISO offers: `modes` in the order of its menu; which disk it installs to; the text of its answers.

    `repository`: the medium carries the packages, too.
    """

    modes: tuple[str, ...]
    choice: DiskChoice
    answers: str
    repository: bool


_INSTALLERS = {"attendedinstaller": ATTENDED, "unattendedinstaller": UNATTENDED, "live-installer": ""}
"""Programs of the public tool that its recipes of an initramfs name, and what each is for."""
_PUBLIC_TEMPLATE = r"default-initrd(-unattended)?-[a-z0-9_]+\.ya?ml"
"""What public templates call the distribution's own recipe of an initramfs."""
_IDLE_DISK = ("size", "artifacts", "extendLastPartitionToFillDisk")


def installs(iso: Iso) -> bool:
    """Tell whether an ISO has something to install."""
    return bool({UNATTENDED, ATTENDED} & {*iso.modes})


def is_installer(local: str) -> bool:
    """Tell whether an additional file of this name stands for this project's installer."""
    return PurePosixPath(local).name in _INSTALLERS


def iso_of(tree: Node, booted: System, answers: str) -> Iso:
    """Return what an ISO does; `booted` is the system of the initramfs, as its recipe has it."""
    policy, iso = tree.get("disk", "selectionPolicy"), tree.get("iso")
    choice = DiskChoice(
        path=tree.get("disk", "path").text,
        strategy=policy.get("strategy").text or ("first" if policy.entries else ""),
        exclude_removable=policy.get("excludeRemovable").value is not False,
        require_empty=policy.get("requireEmpty").value is not False,
    )
    template = re.fullmatch(_PUBLIC_TEMPLATE, tree.get("systemConfig", "initramfs", "template").text)
    decided = (UNATTENDED,) if template and template[1] else _modes(booted)
    said = iso.get("mode").texts or ((iso.get("mode").text,) if iso.get("mode").text else decided)
    is_answered = bool(choice.path or choice.strategy or answers)
    modes = (UNATTENDED if mode == ATTENDED and is_answered else mode for mode in said)
    carries = iso.get("repository").value is True
    return Iso(modes=tuple(dict.fromkeys(modes)), choice=choice, answers=answers, repository=carries)


def names_installer(system: System) -> bool:
    """Tell whether the recipe of an initramfs names an installer: as root's shell."""
    return bool(_modes(system))


def _modes(booted: System) -> tuple[str, ...]:
    """Return what the recipe of an initramfs decides, as in public templates: by root's shell."""
    shells = (PurePosixPath(user.startup_script).name for user in booted.users if user.name == "root")
    return tuple(_INSTALLERS[name] for name in shells if _INSTALLERS.get(name))


def is_distributions_own(template: str) -> bool:
    """Tell whether the name of a template is what public ones call the distribution's own."""
    return re.fullmatch(_PUBLIC_TEMPLATE, template) is not None


def answer_problems(tree: Node) -> Found:
    """Say what the installer would find wrong with the answers of a recipe."""
    entries = tree.get("iso", "answers").entries
    found = [(node, text) for key, node in entries.items() if (text := wrong_with(f"{key} = {node.text}\n"))]
    yield from found
    if not found and (text := wrong_with(text_of(tree.get("iso", "answers")))):
        yield tree.get("iso", "answers"), text


def text_of(answers: Node) -> str:
    """Return answers that are in the recipe itself as the installer reads them."""
    return "".join(f"{key} = {node.text}\n" for key, node in answers.entries.items())


def wrong_with(answers: str) -> str:
    """Return a mistake that the installer would find in a text of answers, with its line where that has several."""
    if not answers:
        return ""
    from oic.installer.answers import read_answers  # noqa: PLC0415 - few recipes have answers
    from oic.installer.errors import InstallError  # noqa: PLC0415

    try:
        read_answers([("", answers.encode())])
    except InstallError as error:
        line = error.message.rpartition("\n")[2]
        return line.lstrip(":0123456789 ") if answers.count("\n") <= 1 else line.lstrip(":")
    return ""


def iso_notes(tree: Node) -> Found:
    """Say what has no effect on an ISO, or only on one."""
    if tree.get("target", "imageType").text != ISO:
        for node in (tree.get("iso"), tree.get("systemConfig", "initramfs")):
            if node.value is not None:
                yield node, "no effect on an image that is no ISO"
        return
    for key in _IDLE_DISK:
        if (node := tree.get("disk", key)).value is not None:
            yield node, "no effect on an ISO: what it installs fills the machine's disk"


def unbuilt_modes(tree: Node, iso: Iso) -> Found:
    """Say what an ISO is to do that cannot be built yet."""
    if ATTENDED in iso.modes:
        node = tree.get("iso", "mode") if tree.get("iso", "mode").value is not None else tree.get("target", "imageType")
        said = (
            "an installer that asks is not built yet: give disk.path or disk.selectionPolicy, and it installs unasked"
        )
        yield node, f"{said}; or iso.mode: live"
