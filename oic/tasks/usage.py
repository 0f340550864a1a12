"""``oic --help``, ``oic help build``, ``oic --version``: what this tool does, in its own words."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from oic.config.schema import did_you_mean
from oic.errors import OicError
from oic.tasks.arguments import options_of
from oic.tasks.catalogue import OF_NO_IMAGE
from oic.tasks.command_line import TASKS
from oic.tasks.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COMMANDS = {
    "list": "list the tasks, of the named recipes with --all; --status says which would run (R) or may run (M)",
    "info": "say whether a task of a recipe would run and why, what it reads and what it writes",
    "clean": "remove what the tasks wrote for these recipes",
    "forget": "have the tasks run again next time",
}
_AFTER_COMMAND = {
    "list": " [TASK…] [RECIPE…]",
    "info": " TASK RECIPE",
    "clean": " [TASK…] RECIPE…",
    "forget": " [TASK…] RECIPE…",
}
_EVERYDAY = (
    "recipes",
    "new",
    "build",
    "validate",
    "explain",
    "config",
    "boot-test",
    "update",
    "lock",
    "why",
    "log",
    "reproduce",
    "sign-import",
    "verify-cache",
    "prune",
)
_HEAD = """oic makes bootable operating-system images from a distribution's own packages.

    oic TASK RECIPE.yml…          oic build edge.yml
    oic COMMAND TASK RECIPE.yml…  oic info rootfs edge.yml

A recipe is a YAML file; this one is complete:

    image: {name: first, version: 1.0.0}
    target: {os: debian, dist: debian12, arch: x86_64, imageType: raw}
"""


def asked_for(argv: Sequence[str]) -> str:
    """Return the help or version that a command line asks for, if it does; raises OicError for help on no topic."""
    if not argv or "--help" in argv or "-h" in argv or argv[0] == "help":
        topics = [word for word in argv if not word.startswith("-") and word != "help"]
        return _help_on(topics[0].partition(":")[0]) if topics else _overview()
    return f"oic {version('oic')}\n" if {"--version", "-V"} & {*argv} else ""


def _overview() -> str:
    lines = [_HEAD, "Tasks:", *_table({name: TASKS[name] for name in _EVERYDAY})]
    lines += ["", "The stages of a build, tasks as well:"]
    lines += _table({name: doc for name, doc in TASKS.items() if name not in _EVERYDAY})
    lines += ["", "Commands:", *_table(_COMMANDS)]
    lines += ["", "Words, anywhere on the line:", *_table(_words())]
    lines += ["", "oic help TASK says which options it takes; oic --version which version this is.", ""]
    return "\n".join(lines)


def _help_on(topic: str) -> str:
    if topic in TASKS:
        after, doc, options = "" if topic in OF_NO_IMAGE else " RECIPE…", TASKS[topic], options_of("run", [topic])
    elif topic in _COMMANDS:
        after, doc, options = _AFTER_COMMAND[topic], _COMMANDS[topic], options_of(topic)
    else:
        near = did_you_mean(topic, [*TASKS, *_COMMANDS])
        raise OicError(f"there is no help on '{topic}'{near}", hint="oic help lists what there is")
    lines = [f"oic {topic}{' [OPTION…]' if options else ''}{after}", "", f"    {doc}"]
    if options:
        lines += ["", "Options:", *_table({one.spelled: one.doc for one in options})]
    lines += ["", "Words:", *_table(_words(topic)), ""]
    return "\n".join(lines)


def _words(topic: str | None = None) -> dict[str, str]:
    """Return the words that a topic takes; without one, all."""
    found = {}
    for name, (tasks, doc) in WORDS.items():
        if name != "image" and (not tasks or topic in (None, *tasks)):
            what, _, rest = doc.partition(" ")
            found[f"{name}={what.rstrip(':')}"] = f"{', '.join(tasks)}: {rest}" if tasks and not topic else rest
    return {
        **found,
        "var.NAME=VALUE": "the value of ${NAME} in recipes (or OIC_VAR_NAME in the environment)",
    }


def _table(rows: dict[str, str]) -> Iterator[str]:
    width = max(map(len, rows))
    return (f"    {name:{width}}  {doc}" for name, doc in rows.items())
