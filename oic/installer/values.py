"""The values that answers may have, by key. Pure.

What is secret, a password or what may be one, is in no message.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re

FIXED = ("disk", "disk.strategy", "disk.exclude-removable", "disk.require-empty", "hostname", "reboot")
"""Keys that are whole."""
OF_USER = ("password", "ssh-key")
"""What follows ``user.NAME.``"""
OF_INTERFACE = ("", "gateway", "dns")
"""What follows ``network.INTERFACE``, behind a dot where it is not empty."""
STRATEGIES = ("first", "largest", "fastest")
_CHOICES = {
    "disk.strategy": STRATEGIES,
    "disk.exclude-removable": ("true", "false", "yes", "no"),
    "disk.require-empty": ("true", "false", "yes", "no"),
    "reboot": ("reboot", "poweroff", "shell"),
}
_HASHES = (
    r"\$1\$[^$:\s]{0,8}\$[./0-9A-Za-z]{22}",
    r"\$5\$(rounds=[0-9]+\$)?[^$:\s]{0,16}\$[./0-9A-Za-z]{43}",
    r"\$6\$(rounds=[0-9]+\$)?[^$:\s]{0,16}\$[./0-9A-Za-z]{86}",
    r"\$2[abxy]\$[0-9]{2}\$[./0-9A-Za-z]{53}",
    r"\$y\$[./0-9A-Za-z]+\$[./0-9A-Za-z]{1,86}\$[./0-9A-Za-z]{43}",
)
"""crypt(5): MD5, SHA-256, SHA-512, bcrypt, yescrypt."""
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"


def value_problem(key: str, value: str) -> str:
    """Return what is wrong with the value of a known key, or nothing; an unknown key has no wrong value."""
    if not value:
        return f"expected a value of {key}, found none"
    if key in _CHOICES:
        wanted = ", ".join(_CHOICES[key])
        return "" if value in _CHOICES[key] else f"expected one of {wanted}, found '{value}'"
    if key == "disk":
        return _disk_problem(value)
    if key == "hostname":
        return _hostname_problem(value)
    if key.startswith("user."):
        return _user_problem(key, value)
    return _network_problem(key, value) if key.startswith("network.") else ""


def _disk_problem(value: str) -> str:
    good = re.fullmatch(r"/dev/[A-Za-z0-9_.:+@=/-]+", value) and ".." not in value.split("/")
    return "" if good else f"expected a path such as /dev/sda or /dev/disk/by-id/NAME, found '{value}'"


def _hostname_problem(value: str) -> str:
    """Linux takes 64 bytes, sethostname(2); a label has 63 of letters, digits and hyphens, RFC 1123 section 2.1."""
    good = len(value) <= 64 and re.fullmatch(rf"{_LABEL}(\.{_LABEL})*", value)
    return "" if good else f"expected a host name of letters, digits, '-' and '.', at most 64, found '{value}'"


def _user_problem(key: str, value: str) -> str:
    name, _, what = key.removeprefix("user.").rpartition(".")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}", name):
        return f"expected a user's name of letters, digits, '_', '-' and '.', found '{name}'"
    if what == "password" and not any(re.fullmatch(form, value) for form in _HASHES):
        return "expected a whole crypt hash, as 'openssl passwd -6' prints it, found something else (not shown)"
    if what == "ssh-key" and not _is_public_key(value):
        return "expected a public key such as 'ssh-ed25519 AAAA… name', found something else (not shown)"
    return ""


def _is_public_key(value: str) -> bool:
    """Tell whether it is a type, the key in base64, which begins with its type (RFC 4253 section 6.6), and a name."""
    kind, _, rest = value.partition(" ")
    if not value.isprintable() or not re.fullmatch(r"(ssh|ecdsa|sk)-[a-z0-9@.-]+", kind):
        return False
    try:
        data = base64.b64decode(rest.split(" ")[0], validate=True)
    except (binascii.Error, ValueError):
        return False
    return data[:4] == len(kind).to_bytes(4, "big") and data[4 : 4 + len(kind)] == kind.encode() and len(data) > 32


def _network_problem(key: str, value: str) -> str:
    name, _, what = key.removeprefix("network.").rpartition(".")
    what = what if name and what in OF_INTERFACE else ""
    interface = name if what else key.removeprefix("network.")
    # Linux: 15 bytes, no slash, no space (dev_valid_name)
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,15}", interface) or interface in (".", ".."):
        return f"expected an interface's name of at most 15 letters, digits, '_', '-' and '.', found '{interface}'"
    if what == "dns":
        wrong = [one for one in value.replace(",", " ").split() if not _is_address(one)]
        return f"expected addresses such as 192.0.2.1, found '{wrong[0]}'" if wrong else ""
    if what == "gateway":
        return "" if _is_address(value) else f"expected an address such as 192.0.2.1, found '{value}'"
    return "" if value == "dhcp" or _is_host(value) else _address_problem(value)


def _address_problem(value: str) -> str:
    return f"expected 'dhcp' or an address with its prefix length such as 192.0.2.10/24, found '{value}'"


def _is_address(text: str) -> bool:
    try:
        return "%" not in text and bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def _is_host(text: str) -> bool:
    address, slash, prefix = text.partition("/")
    try:
        return bool(slash) and prefix.isdigit() and _is_address(address) and bool(ipaddress.ip_interface(text))
    except ValueError:
        return False
