"""Encodes hand-overs as canonical JSON and decodes them strictly.

* Names are camelCase in JSON, as in a recipe. An unknown, missing or mistyped field is an error.
* Equal values give equal bytes: keys are sorted, there are no timestamps, and the text ends with one newline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

import msgspec

from oic.values import Digest, Value, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self


class NamedFile(Protocol):
    """A file of the cache that a hand-over names with a digest of its content."""

    @property
    def path(self) -> str:
        """Its path in the cache."""

    @property
    def recorded(self) -> Digest:
        """The digest that it was written with."""

    @property
    def sparse(self) -> bool:
        """Whether the digest is that of `oic.files.digest_of_sparse`, else it is the sha256."""


class Handover(Value):
    """What a stage writes for other stages: a small file `FILE` in the image's directory.

    A hand-over that is `OF_TREE` exists once for each tree of the image: see `oic.stage.Stage`.
    """

    FILE: ClassVar[str]
    OF_TREE: ClassVar[bool] = False

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the value that a file's text holds; raises ValueError."""
        return msgspec.json.decode(text, type=cls)

    def to_text(self) -> str:
        """Return the file's text."""
        return to_json(self)

    def files(self) -> Iterable[NamedFile]:
        """Return the files that it names; the stage is up to date only while all of them are as they were written."""
        return ()

    def artefacts(self) -> Iterable[str]:
        """Return the paths in the cache that it names; the stage is up to date only while all of them exist."""
        return [file.path for file in self.files()]

    @classmethod
    def names_nothing(cls) -> bool:
        """Tell whether no value of the kind names anything."""
        return cls.artefacts is Handover.artefacts and cls.files is Handover.files
