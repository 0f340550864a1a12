"""Creates stages with what all stages of an image share: recipe, cache and seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from oic.stage import Stage
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from oic.config.model import FinalConfig
    from oic.handover.codec import Handover
    from oic.stage import Kind

Slice = TypeVar("Slice")


class Maker(Value):
    """Creates the stages of one image."""

    config: FinalConfig
    cache: Path

    @property
    def seed(self) -> str:
        """Return the text from which all identifiers of the image are derived."""
        image = self.config.image
        return f"{self.config.distribution.id}/{image.name}/{image.version}"

    @property
    def stem(self) -> str:
        """Return the name of the image's files without suffix."""
        return f"{self.config.image.name}-{self.config.image.version}"

    def stage(  # noqa: PLR0913 - everything in which stages differ
        self,
        kind: Kind[Slice],
        part: Slice,
        *,
        files: tuple[str, ...] = (),
        sources: Mapping[str, Path] | None = None,
        lock: Path | None = None,
        reads: tuple[type[Handover], ...] | None = None,
        tree: str = "",
    ) -> Stage[Slice]:
        """Return a stage of this image with the slice `part`; with a `lock`, it reads that file and no hand-overs.

        `reads` are for a kind whose stages read what there is. `tree` is as in `oic.stage.Stage`.
        """
        return Stage(
            kind=kind,
            image=self.config.image_name,
            recipe=self.config.recipe,
            cache=self.cache,
            slice=part,
            reads=() if lock else kind.reads if reads is None else reads,
            files=files,
            tree=tree,
            lock_file=lock,
            sources=sources or {},
        )
