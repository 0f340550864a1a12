"""A stage reads and writes only the hand-overs that it declares."""

from __future__ import annotations

from pathlib import Path

import pytest

from oic.handover.packages import Verified
from oic.stage import Kind, Stage
from oic.values import ImageName, Value


class Slice(Value):
    """Nothing."""


@pytest.fixture
def stage(tmp_path: Path) -> Stage[Slice]:
    kind: Kind[Slice] = Kind(name="small", version=1, doc="", reads=(), writes=())
    return Stage(kind=kind, image=ImageName("edge"), recipe=Path("edge.yml"), cache=tmp_path, slice=Slice(), reads=())


def test_reading_another_hand_over_is_an_error(stage: Stage[Slice]) -> None:
    with pytest.raises(ValueError, match=r"^small:edge reads verified\.json, which is not among its inputs$"):
        stage.read(Verified)


def test_writing_another_hand_over_is_an_error(stage: Stage[Slice]) -> None:
    with pytest.raises(ValueError, match=r"^small:edge writes verified\.json, which is not among its outputs$"):
        stage.write(Verified(packages=()))
