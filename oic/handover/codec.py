"""The one codec: frozen values to canonical JSON and back, decoded strictly.

* Names are camelCase in JSON, as in a recipe. A field more, a field less or one of another type is refused.
* Equal values give equal bytes: keys sorted, no timestamps, one newline at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec

from oic.values import Value, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self


class Handover(Value):
    """What one stage writes for others: a small file `FILE` in the image's directory.

    What is `OF_TREE` there is once for each tree that the image is made of: see `oic.stage.Stage`.
    """

    FILE: ClassVar[str]
    OF_TREE: ClassVar[bool] = False

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the value of a file's text; raises ValueError when it is none."""
        return msgspec.json.decode(text, type=cls)

    def to_text(self) -> str:
        """Return the file's text."""
        return to_json(self)

    def artefacts(self) -> Iterable[str]:
        """Return the paths in the cache of what it names: the stage is fresh only while all of them are there."""
        return ()
