"""How old an index is: a mirror may serve an old state without the index saying so."""

from __future__ import annotations

from datetime import datetime, timedelta

from oic.errors import TrustError

_AHEAD = timedelta(days=1)
_YOUNG = timedelta(days=14)


def refuse_future(timestamp: float, now: datetime, *, found: str, where: str) -> None:
    """Raise TrustError for an index from the future; `found` is its `timestamp` in the form that errors show."""
    if timestamp > (now + _AHEAD).timestamp():
        raise TrustError(f"expected a date in the past, found {found}", where=where, hint="is the clock right?")


def older_error(known: str, found: str, *, where: str) -> TrustError:
    """Return the error for an index that is older than the one known from the last run."""
    hint = "the mirror is behind or serves an old state: try again later, or use another one"
    return TrustError(f"expected metadata no older than {known}, found {found}", where=where, hint=hint)


def age_warning(name: str, made: datetime, now: datetime) -> str:
    """Return a warning about a repository's index that is older than two weeks; empty for a newer one."""
    if now - made <= _YOUNG:
        return ""
    return (
        f"the index of {name} is {(now - made).days} days old, of {made:%Y-%m-%d}: check that the mirror is up to date"
    )
