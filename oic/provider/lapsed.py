"""Who signed a package, when the key has expired since: distributions keep packages longer than their signing keys.

* A signature counts if it was made, by its own date, while its key and its primary key were valid. Whoever has the key
  can backdate a signature, so the caller must make sure that verified metadata list the package.
* A signature made after its key expired, or before its key was created, does not count.
* A revoked key never counts. For a key that is both expired and revoked, gpg's verdict on the signature names only the
  expiry, so its list of keys is used as well.

Metadata are signed anew all the time. `oic.provider.openpgp` refuses them when their key has expired.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oic.errors import TrustError
from oic.provider.openpgp import EXPIRED_KEY, detached_status, good_signatures

if TYPE_CHECKING:
    from oic.provider.openpgp import GoodSignature, Keyring


def package_signers(
    ring: Keyring, data: bytes, signature: bytes, *, where: str
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the primary keys that signed a package, and a sentence for each that has expired since.

    Raises TrustError by the rules of this module and of `oic.provider.openpgp`.
    """
    status = detached_status(ring.gpg, data, signature, where=where)
    found = good_signatures(status, where, take=(EXPIRED_KEY,))
    lapses = frozenset(_lapse(one, ring, where) for one in found if one.lapsed)
    return frozenset(one.primary for one in found), lapses


def _lapse(signature: GoodSignature, ring: Keyring, where: str) -> str:
    """Return a sentence on a signature whose key has expired since; raises TrustError when it does not count."""
    periods = [ring.periods.get(fingerprint) for fingerprint in (signature.primary, signature.key)]
    found = [period for period in periods if period]
    if len(found) < len(periods) or any(period.revoked for period in found):
        raise TrustError(f"found a signature by a revoked key ({signature.key})", where=where)
    start = max(period.made for period in found)
    end = min((period.expires for period in found if period.expires), default=0)
    if not start <= signature.made < end:
        valid = f"a key valid from {_day(start)} to {_day(end)}"
        message = f"expected a signature made while its key was valid, found one of {_day(signature.made)} by {valid}"
        raise TrustError(f"{message} ({signature.key})", where=where)
    return f"the key {signature.primary} has expired since, on {_day(end)}"


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
