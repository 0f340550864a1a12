"""Who signed a package, where keys expire: distributions sign with keys made for a year, and keep the packages.

* A signature that says it was made while its key was valid, and its primary key too, counts although they have expired
  since. It may say what it likes: whoever has the key can date a signature back. So the caller has to know that the
  package is listed by metadata that was verified, and by nothing else.
* A signature made after its key had expired, or before there was the key, does not count.
* A revoked key never counts. Of a key that is expired and revoked gpg's verdict says the former alone; its list of keys
  says the latter.

Metadata are signed anew all the time: by an expired key they are refused, in `oic.provider.openpgp`.
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

    Raises TrustError as the module and `oic.provider.openpgp` say.
    """
    status = detached_status(ring.gpg, data, signature, where=where)
    found = good_signatures(status, where, take=(EXPIRED_KEY,))
    lapses = frozenset(_lapse(one, ring, where) for one in found if one.lapsed)
    return frozenset(one.primary for one in found), lapses


def _lapse(signature: GoodSignature, ring: Keyring, where: str) -> str:
    """Return what is to be said of a signature whose key has expired since; raises TrustError."""
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
