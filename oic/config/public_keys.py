"""Whether a line of ``authorized_keys`` is one by which somebody can log in: RFC 4253, section 6.6, RFC 8709 and 5656.

The blob of a key is its kind once more and then the numbers of that kind, each with its length before it.
"""

from __future__ import annotations

import base64
import binascii
import re

_LINE = r"(?:^|.*[ \t])((?:ssh|ecdsa|sk)-[^\s]+) ([A-Za-z0-9+/=]+)(?: .*)?"
_FIELDS = {
    "ssh-ed25519": 1,
    "ssh-rsa": 2,
    "ssh-dss": 4,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "sk-ssh-ed25519@openssh.com": 2,
    "sk-ecdsa-sha2-nistp256@openssh.com": 3,
}
"""How many numbers follow the kind. A certificate is no key to authorize."""
_ED25519 = 32


def key_problem(line: str) -> str:
    """Return what was expected of a public key and what was found; empty where it is one, or its form is none."""
    match = re.fullmatch(_LINE, line)
    if match is None:
        return ""  # the schema says so
    kind = match[1]
    if kind not in _FIELDS:
        return f"expected a key of the kind {', '.join(_FIELDS)}, found {kind}"
    try:
        found = _strings(base64.b64decode(match[2], validate=True))
    except (binascii.Error, ValueError):
        return f"expected a whole {kind} key, found one that was cut or changed"
    named = found[0].decode("ascii", "replace") if found else ""
    if named != kind:
        return f"expected a key of the kind that stands before it, {kind}, found one of {named or 'none'}"
    numbers = found[1:]
    if len(numbers) != _FIELDS[kind] or not all(numbers) or ("ed25519" in kind and len(numbers[0]) != _ED25519):
        return f"expected a whole {kind} key, found one that was cut or changed"
    return ""


def _strings(blob: bytes) -> list[bytes]:
    """Return the strings of a blob; raises ValueError for a rest that is none."""
    found = []
    while blob:
        length = int.from_bytes(blob[:4])
        if len(blob) < 4 + length:
            raise ValueError("cut")
        found.append(blob[4 : 4 + length])
        blob = blob[4 + length :]
    return found
