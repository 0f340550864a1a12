"""A second tree of an image, as an installer's will be: of another set of the lock, beside the image's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from oic.config.final import load_config
from oic.handover.packages import LockFile
from oic.handover.tree import ConfiguredTree, InstalledTree
from oic.image.disk.geometry import layout
from oic.image.disk.kinds import TABLE_KINDS
from oic.plan import plan
from oic.plan.maker import Maker
from oic.plan.tree import TreePlan, installed, tree_of, tree_stages

RECIPE = Path(__file__).parents[2] / "recipes/minimal.yml"
CACHE = Path("/cache")


@pytest.fixture(scope="module")
def trees() -> tuple[Maker, TreePlan, TreePlan]:
    """Return what makes stages, the image's own tree, and one of the set of tools that is configured alike."""
    config = load_config(RECIPE, {})
    make = Maker(config=config, cache=CACHE)
    own = tree_of(config, layout(config.disk, make.seed, TABLE_KINDS[config.disk.table]), ())
    second = TreePlan(
        name="second",
        installed=installed(config, "tools"),
        configured=replace(own.configured, hostname="second"),
        initramfs=own.initramfs,
        sources={},
    )
    return make, own, second


def test_its_stages_have_names_of_their_own(trees: tuple[Maker, TreePlan, TreePlan]) -> None:
    make, _, second = trees
    assert [stage.task for stage in tree_stages(make, second)] == [
        "rootfs-second:minimal",
        "system-second:minimal",
        "initrd-second:minimal",
    ]


def test_nothing_it_writes_is_written_by_another_stage(trees: tuple[Maker, TreePlan, TreePlan]) -> None:
    make, _, second = trees
    stages = (*plan(make.config, CACHE), *tree_stages(make, second))
    written = [path for stage in stages for path in (*stage.outputs, stage.origin_file, stage.log)]
    assert len(written) == len(set(written))


def test_it_reads_the_one_lock_and_its_own_tree(trees: tuple[Maker, TreePlan, TreePlan]) -> None:
    make, _, second = trees
    rootfs, system, _ = tree_stages(make, second)
    assert rootfs.place_of(LockFile) == CACHE / "minimal/lock.json"
    assert system.place_of(InstalledTree) == rootfs.place_of(InstalledTree) == CACHE / "minimal/second/rootfs.json"
    assert CACHE / "minimal/second/rootfs.json" in system.inputs
    assert system.place_of(ConfiguredTree) in system.outputs


def test_what_it_was_made_from_is_compared_with_its_own_slice(trees: tuple[Maker, TreePlan, TreePlan]) -> None:
    make, own, second = trees
    of_own, of_second = tree_stages(make, own)[1], tree_stages(make, second)[1]
    assert (of_own.origin().slice["hostname"], of_second.origin().slice["hostname"]) == ("debian", "second")
