"""How old an index is: a mirror may serve an old state without the index saying so."""

from __future__ import annotations

from datetime import datetime, timedelta

_YOUNG = timedelta(days=14)


def age_warning(name: str, made: datetime, now: datetime) -> str:
    """Return a warning about a repository's index that is older than two weeks; empty for a newer one."""
    if now - made <= _YOUNG:
        return ""
    return f"the index of {name} is {(now - made).days} days old, of {made:%Y-%m-%d}: is that the mirror's newest?"
