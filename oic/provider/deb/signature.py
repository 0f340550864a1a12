"""The signed text of an InRelease: only the text that gpg reports as signed is used.

An InRelease with anything besides one signed text is refused. The format is that of RFC 4880, section 7.
"""

from __future__ import annotations

import re
from typing import Any

from oic.errors import TrustError
from oic.provider.openpgp import signers_of, status_of

_BEGIN, _SIGNATURE, _END = (
    "-----BEGIN PGP SIGNED MESSAGE-----",
    "-----BEGIN PGP SIGNATURE-----",
    "-----END PGP SIGNATURE-----",
)


def signed_text(gpg: Any, inrelease: bytes, *, where: str) -> tuple[str, tuple[str, ...]]:
    """Return the signed text of an InRelease and the fingerprints of the signing keys; raises TrustError."""
    _expect_one_block(inrelease.decode("utf-8", "replace"), where)
    result = gpg.decrypt(inrelease)
    status = status_of(result.stderr)
    if sum(line[0] == "PLAINTEXT" for line in status) != 1:
        raise TrustError("expected one signed text, found none or several", where=where)
    signers = signers_of(status, where)
    return result.data.decode("utf-8", "replace"), signers


def text_between(inrelease: str, *, where: str) -> str:
    """Return the text of an InRelease without checking the signature, for a repository that the recipe trusts."""
    _expect_one_block(inrelease, where)
    body = inrelease.partition("\n\n")[2].partition(f"\n{_SIGNATURE}")[0]
    return re.sub(r"^- ", "", body, flags=re.MULTILINE) + "\n"


def _expect_one_block(text: str, where: str) -> None:
    lines = [line.rstrip() for line in text.rstrip().split("\n")]
    marks = [(number, line) for number, line in enumerate(lines) if line.startswith("-----")]
    if [line for _, line in marks] != [_BEGIN, _SIGNATURE, _END]:
        raise TrustError("expected one signed text and its signature, found something else", where=where)
    if marks[0][0] != 0 or marks[-1][0] != len(lines) - 1:
        raise TrustError("expected nothing outside the signed text, found more", where=where)
