"""Passwords as crypt(5) hashes: what a slice, a layer and a log may hold.

The salt comes from the image's seed and the user's name, so that the same recipe gives the same bits. The password has
no part in it: a salt is public, and would give a guess away at one sha256 each.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oic.config.model import User

_SALT_LENGTHS = {"sha512": 16, "sha256": 16, "md5": 8, "bcrypt": 22}


_FORMS = {
    "1": r"\$[^$:\n]{0,8}\$[./0-9A-Za-z]{22}",
    "5": r"(\$rounds=[0-9]+)?\$[^$:\n]{0,16}\$[./0-9A-Za-z]{43}",
    "6": r"(\$rounds=[0-9]+)?\$[^$:\n]{0,16}\$[./0-9A-Za-z]{86}",
    **dict.fromkeys(("2a", "2b", "2x", "2y"), r"\$[0-9]{2}\$[./0-9A-Za-z]{53}"),
    "y": r"\$[./0-9A-Za-z]+\$[./0-9A-Za-z]{1,86}\$[./0-9A-Za-z]{43}",
}
"""What follows the kind in a hash of crypt(5)."""


def is_whole_hash(text: str) -> bool:
    """Tell whether a hash has the form of its kind; one of another kind is taken to have it."""
    kind = text[1:].partition("$")[0]
    return kind not in _FORMS or re.fullmatch(_FORMS[kind], text[1 + len(kind) :]) is not None


def hashed(user: User, seed: str) -> str:
    """Return a user's password as a crypt hash; a hash given is kept, no password stays none."""
    if not user.password or user.password.startswith("$"):
        return user.password
    algorithm = user.hash_algo or "sha512"
    salt = _salt(f"{seed}/{user.name}", _SALT_LENGTHS[algorithm])
    return _hash(algorithm, salt, user.password)


def _salt(seed: str, length: int) -> str:
    # Hexadecimal digits are in every crypt alphabet; bcrypt's last salt character holds only two bits.
    digits = hashlib.sha256(seed.encode()).hexdigest()[:length]
    return digits if length != _SALT_LENGTHS["bcrypt"] else digits[:-1] + "O"


def _hash(algorithm: str, salt: str, password: str) -> str:
    from passlib import hash as schemes  # noqa: PLC0415 - slow to import, and most commands have no password to hash

    if algorithm == "bcrypt":
        return str(schemes.bcrypt.using(salt=salt).hash(password))
    if algorithm == "md5":
        return str(schemes.md5_crypt.using(salt=salt).hash(password))
    scheme: Any = schemes.sha256_crypt if algorithm == "sha256" else schemes.sha512_crypt
    return str(scheme.using(salt=salt, rounds=5000).hash(password))
