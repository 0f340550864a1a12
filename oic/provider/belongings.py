"""Whose a path of an image's tree is: which packages list it, and whose scripts name it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_TELLING = 5
"""Characters of a file name that, found in a script, is taken for that file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """The packages that list each path, and the text of each script, by words such as ``the postinst of hello``.

    `sums` has the digests of files as packages bring them, where these say them: ``md5:…``, ``sha256:…``.
    """

    owners: Mapping[str, tuple[str, ...]]
    scripts: Mapping[str, str]
    sums: Mapping[str, str] = field(default_factory=dict)

    def maker_of(self, path: str) -> str:
        """Return, in words, which package made a path or may have: its lists and its scripts are all that is known."""
        naming = [who for who, text in self.scripts.items() if path in text]
        owners = self.owners.get(path, ())
        if owners:
            own = [who for who in naming if who.endswith(tuple(f" of {owner}" for owner in owners))]
            return f"of {', '.join(owners)}" + (f", named in {', '.join(own or naming)}" if naming else "")
        if not naming:
            name = path.rpartition("/")[2]
            word = re.compile(rf"(?<![\w.-]){re.escape(name)}(?!\.?[\w-])")
            naming = [who for who, text in self.scripts.items() if len(name) >= _TELLING and word.search(text)]
        if naming:
            return f"in no package's list, named in {', '.join(naming)}"
        above = path
        while (above := above.rpartition("/")[0]) and above not in self.owners:
            pass
        near = self.owners.get(above, ())
        return "in no package's list" + (f", below {above} of {near[0]}" if len(near) == 1 else "")
