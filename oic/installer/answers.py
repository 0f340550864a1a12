"""Answers to what an installation asks: which disk, which host name, users, network. Pure.

A file has lines ``key = value``; a line that begins with ``#`` is a comment. On the kernel command line each key has
``oic.`` before it: ``oic.disk=/dev/sda``. Sources are read in order, and a later one replaces what an earlier one says:

* of ``disk`` and ``disk.strategy``, which are two ways to say one thing, either;
* of a user's ``ssh-key``, which may be there several times, all that the earlier one has.

All mistakes of all sources are found, each with its place.
"""

from __future__ import annotations

import difflib
import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .errors import InstallError
from .values import FIXED, OF_INTERFACE, OF_USER, value_problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PREFIX = "oic."
NOT_ANSWERS = frozenset({"oic.live", "oic.medium", "oic.mode", "oic.debug"})
"""Words of the kernel command line that others read: those who start the installer's system."""
MAX_BYTES = 1 << 16
"""Of an answer file; a larger file is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user's password as a crypt hash, and lines for authorized_keys; empty for what stays as it is."""

    name: str
    password: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A network interface: `address` is ``dhcp`` or an address with its prefix length."""

    name: str
    address: str
    gateway: str = ""
    dns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was answered; empty or None for what was not."""

    disk: str = ""
    strategy: str = ""
    exclude_removable: bool | None = None
    require_empty: bool | None = None
    hostname: str = ""
    users: tuple[User, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    reboot: str = "reboot"

    @property
    def changes_system(self) -> bool:
        """Tell whether files of the installed system change."""
        return bool(self.hostname or self.users or self.interfaces)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    where: str
    key: str
    value: str


@dataclass(slots=True)
class _Read:
    """What was read so far: the line of each key (of an ssh-key: all), and the mistakes."""

    lines: dict[str, list[_Line]] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)


def read_answers(
    files: Sequence[tuple[str, bytes]], command_line: str = "", last: Sequence[tuple[str, bytes]] = ()
) -> Answers:
    """Return the answers of files, each with its name, of the kernel command line, and of files that come after it.

    Raises InstallError that has all mistakes, a line each.
    """
    read = _Read()
    for name, data in files:
        _take(read, list(_file_lines(name, data, read)))
    _take(read, list(_command_lines(command_line)))
    for name, data in last:
        _take(read, list(_file_lines(name, data, read)))
    _check_together(read)
    if read.mistakes:
        count = len(read.mistakes)
        head = f"expected answers without mistakes, found {count}:" if count > 1 else "found a mistake in the answers:"
        raise InstallError("\n".join([head, *read.mistakes]), hint="nothing was written")
    return _answers(read)


def _file_lines(name: str, data: bytes, read: _Read) -> Iterator[_Line]:
    if len(data) > MAX_BYTES:
        read.mistakes.append(f"{name}: expected at most {MAX_BYTES} bytes, found more")
        return
    # An editor of another system may have put a byte order mark in front.
    for number, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        where = f"{name}:{number}"
        try:
            line = raw.decode("utf-8").strip()
        except UnicodeDecodeError:
            read.mistakes.append(f"{where}: expected text in UTF-8, found other bytes")
            continue
        if not line or line.startswith("#"):
            continue
        key, sign, value = line.partition("=")
        if sign:
            yield _Line(where=where, key=key.strip(), value=value.strip())
        else:
            read.mistakes.append(f"{where}: expected 'key = value', found no '='")


def words_of(command_line: str) -> list[str]:
    """Return the words of a kernel command line; a part in double quotes has spaces (Linux, lib/cmdline.c)."""
    words, word, quoted = [], "", False
    for char in f"{command_line} ":
        if char == '"':
            quoted = not quoted
        elif char.isspace() and not quoted:
            words += [word] if word else []
            word = ""
        else:
            word += char
    return words + ([word.strip()] if word.strip() else [])


def _command_lines(command_line: str) -> Iterator[_Line]:
    for word in words_of(command_line):
        key, _, value = word.partition("=")
        if key.startswith(PREFIX) and key not in NOT_ANSWERS:
            name = key.removeprefix(PREFIX)
            yield _Line(where=f"kernel command line, {key}", key=name, value=value.strip())


def _take(read: _Read, lines: list[_Line]) -> None:
    """Let the lines of one source replace those of the sources before it."""
    own: dict[str, list[_Line]] = {}
    for line in lines:
        if problem := key_problem(line.key) or value_problem(line.key, line.value):
            read.mistakes.append(f"{line.where}: {problem}")
        if line.key in own and not line.key.endswith(".ssh-key"):
            first = own[line.key][0].where
            read.mistakes.append(f"{line.where}: expected {line.key} once, found it at {first} as well")
        else:
            own.setdefault(line.key, []).append(line)
    if "disk" in own and "disk.strategy" in own:
        where = own["disk.strategy"][0].where
        read.mistakes.append(f"{where}: expected either disk or disk.strategy, found both")
    for key, other in (("disk", "disk.strategy"), ("disk.strategy", "disk")):
        if key in own:
            read.lines.pop(other, None)
    read.lines |= own


def key_problem(key: str) -> str:
    """Return what is wrong with a key, or nothing."""
    if key in FIXED or subject_of(key):
        return ""
    known = [*FIXED]
    parts = key.split(".")
    if len(parts) > 2 and parts[0] not in ("disk", "reboot", "hostname"):
        subject = ".".join(parts[1:-1])
        known += [f"user.{subject}.{name}" for name in OF_USER]
        known += [f"network.{subject}.{name}" for name in OF_INTERFACE if name]
    elif len(parts) == 2:
        known += [f"network.{parts[1]}"]
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    hint = f"; did you mean '{near[0]}'?" if near else "; see docs/iso.md for the keys"
    return f"expected a known key, found '{key}'{hint}"


def subject_of(key: str) -> tuple[str, str, str] | None:
    """Return ``user`` or ``network``, the user's or interface's name, and what of it; None for another key."""
    group, _, rest = key.partition(".")
    subject, _, what = rest.rpartition(".")
    if group == "user" and subject and what in OF_USER:
        return group, subject, what
    if group == "network" and subject and what in OF_INTERFACE:
        return group, subject, what
    if group == "network" and rest and (not subject or what.isdigit()):  # eth0.10 is a VLAN's interface
        return group, rest, ""
    return None


def _check_together(read: _Read) -> None:
    """Find interfaces whose lines do not go together."""
    for key, (line, *_) in read.lines.items():
        subject = subject_of(key)
        if not subject or subject[0] != "network" or not subject[2] or value_problem(key, line.value):
            continue
        main = read.lines.get(f"network.{subject[1]}")
        if main is None:
            found = f"expected network.{subject[1]} as well, 'dhcp' or an address, found none"
            read.mistakes.append(f"{line.where}: {found}")
        elif subject[2] == "gateway" and main[0].value == "dhcp":
            read.mistakes.append(f"{line.where}: expected no gateway where DHCP gives one, found {line.value}")
        elif subject[2] == "gateway" and not value_problem(main[0].key, main[0].value):
            own = ipaddress.ip_interface(main[0].value)
            if ipaddress.ip_address(line.value) not in own.network:
                read.mistakes.append(f"{line.where}: expected a gateway in {own.network}, found {line.value}")


def _answers(read: _Read) -> Answers:
    texts = {key: lines[0].value for key, lines in read.lines.items()}
    subjects = {(one[0], one[1]) for key in texts if (one := subject_of(key))}
    users = sorted(name for group, name in subjects if group == "user")
    interfaces = sorted(name for group, name in subjects if group == "network")
    return Answers(
        disk=texts.get("disk", ""),
        strategy=texts.get("disk.strategy", ""),
        exclude_removable=_truth(texts.get("disk.exclude-removable")),
        require_empty=_truth(texts.get("disk.require-empty")),
        hostname=texts.get("hostname", ""),
        users=tuple(
            User(
                name=name,
                password=texts.get(f"user.{name}.password", ""),
                keys=tuple(line.value for line in read.lines.get(f"user.{name}.ssh-key", [])),
            )
            for name in users
        ),
        interfaces=tuple(
            Interface(
                name=name,
                address=texts[f"network.{name}"],
                gateway=texts.get(f"network.{name}.gateway", ""),
                dns=tuple(texts.get(f"network.{name}.dns", "").replace(",", " ").split()),
            )
            for name in interfaces
        ),
        reboot=texts.get("reboot", "reboot"),
    )


def _truth(text: str | None) -> bool | None:
    return None if text is None else text in ("true", "yes")
