"""Which package a path of an image's tree belongs to: the packages that list it, and the scripts that name it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MIN_NAME = 5
"""Characters that a file name must have: a shorter one in a script may be any word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """The packages that list each path, and the text of each script by its name, such as ``the postinst of hello``.

    `sums` are the digests that packages give for their files: ``md5:…``, ``sha256:…``.
    """

    owners: Mapping[str, tuple[str, ...]]
    scripts: Mapping[str, str]
    sums: Mapping[str, str] = field(default_factory=dict)

    def origin_of(self, path: str) -> str:
        """Return, in words, which packages list a path and which scripts name it: nothing else tells who made it."""
        naming = [who for who, text in self.scripts.items() if path in text]
        owners = self.owners.get(path, ())
        if owners:
            own = [who for who in naming if who.endswith(tuple(f" of {owner}" for owner in owners))]
            return f"of {', '.join(owners)}" + (f", named in {', '.join(own or naming)}" if naming else "")
        if not naming:
            name = path.rpartition("/")[2]
            word = re.compile(rf"(?<![\w.-]){re.escape(name)}(?!\.?[\w-])")
            naming = [who for who, text in self.scripts.items() if len(name) >= _MIN_NAME and word.search(text)]
        if naming:
            return f"in no package's list, named in {', '.join(naming)}"
        above = path
        while (above := above.rpartition("/")[0]) and above not in self.owners:
            pass
        near = self.owners.get(above, ())
        return "in no package's list" + (f", below {above} of {near[0]}" if len(near) == 1 else "")
