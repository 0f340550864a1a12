"""What the stages of a plan have in common: one image, one recipe, one cache, one seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from oic.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from oic.config.model import FinalConfig
    from oic.stage import Kind

Slice = TypeVar("Slice")


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Makes the stages of one image."""

    config: FinalConfig
    cache: Path

    @property
    def seed(self) -> str:
        """Return what every identifier of the image is derived from."""
        image = self.config.image
        return f"{self.config.distribution.id}/{image.name}/{image.version}"

    @property
    def stem(self) -> str:
        """Return what the image's files are called, without an ending."""
        return f"{self.config.image.name}-{self.config.image.version}"

    def stage(  # noqa: PLR0913 - what stages differ in
        self,
        kind: Kind[Slice],
        said: Slice,
        *,
        files: tuple[str, ...] = (),
        sources: Mapping[str, Path] | None = None,
        lock: Path | None = None,
        tree: str = "",
    ) -> Stage[Slice]:
        """Return a stage of this image, with its slice; one that is given a lock reads that and nothing else.

        `tree` is as in `oic.stage.Stage`.
        """
        return Stage(
            kind=kind,
            image=self.config.image_name,
            recipe=self.config.recipe,
            cache=self.cache,
            slice=said,
            reads=() if lock else kind.reads,
            files=files,
            tree=tree,
            lock_file=lock,
            sources=sources or {},
        )
