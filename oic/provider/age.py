"""How old an index is: what a mirror gives may be a state of long ago, and nothing in it need say so."""

from __future__ import annotations

from datetime import datetime, timedelta

_YOUNG = timedelta(days=14)


def age_warning(name: str, made: datetime, now: datetime) -> str:
    """Return what is to be said of a repository's index by its age: nothing within a fortnight."""
    if now - made <= _YOUNG:
        return ""
    return f"the index of {name} is {(now - made).days} days old, of {made:%Y-%m-%d}: is that the mirror's newest?"
