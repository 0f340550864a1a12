"""Recipes for WSL 2: what cannot be is refused, what has no effect is said, and there is neither kernel nor disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from oic.config.model import Artifact
from oic.plan import plan

if TYPE_CHECKING:
    from .conftest import Complain, Load

HEAD = """image: {name: small, version: "1.0.0"}
target: {os: debian, dist: debian12, arch: x86_64, imageType: wsl2, mirror: "https://mirror.invalid/debian"}
"""


def test_it_is_the_tree_as_an_archive_and_nothing_else(load: Load) -> None:
    config = load("", head=HEAD)
    assert config.artifacts == (Artifact(type="tar", compression="gz"),)
    names = [stage.kind.name for stage in plan(config, config.recipe.parent / "cache")]
    assert names[-3:] == ["system", "archive", "evidence"]


def test_without_artifacts_it_is_compressed_by_gzip(load: Load) -> None:
    assert load("disk: {name: other}\n", head=HEAD).artifacts == (Artifact(type="tar", compression="gz"),)


@pytest.mark.parametrize(
    ("artifact", "said"),
    [
        ("type: qcow2", "disk.artifacts[0].type: expected tar for an image of type wsl2, found qcow2"),
        (
            "type: tar, compression: zstd",
            "disk.artifacts[0].compression: expected gz or none, which every wsl --import reads, found zstd",
        ),
    ],
)
def test_another_artefact_is_refused(artifact: str, said: str, complain: Complain) -> None:
    assert [line.split(": ", 1)[1] for line in complain(f"disk: {{artifacts: [{{{artifact}}}]}}\n", head=HEAD)] == [
        said
    ]


def test_what_needs_a_kernel_or_a_disk_has_no_effect_which_is_said(load: Load) -> None:
    body = "disk: {size: 2GiB}\nsystemConfig: {kernel: {packages: [linux-image-amd64]}}\n"
    config = load(body, head=HEAD)
    said = "no effect on an image of type wsl2, which has no kernel and no disk of its own"
    found = [note.split(": ", 1)[1] for note in config.notes if said in note]
    assert found == [f"disk.size: {said}", f"systemConfig.kernel: {said}"]
    solve = next(stage for stage in plan(config, config.recipe.parent / "cache") if stage.kind.name == "solve")
    assert "linux-image-amd64" not in solve.slice.request.sets["image"].names
