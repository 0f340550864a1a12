"""Runs the stage `oic.stages.verity`.

veritysetup(8) makes the tree from files: neither device mapper nor loop devices are used. Its superblock's UUID and the
salt are those of the slice, so that equal file systems have equal root hashes.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from oic.chroot import layers, namespace, toolbox
from oic.errors import OicError
from oic.files import atomic_file, digest_of_sparse
from oic.handover.disk import BootedRoot, PartitionImage, VerifiedRoot
from oic.handover.tree import BuildEnvironment, ConfiguredTree
from oic.image.fs.room import whole_mib
from oic.image.tools import reproducible_env
from oic.image.verity import BLOCK, RootHash
from oic.progress import doing
from oic.runs import fs

if TYPE_CHECKING:
    from pathlib import Path

    from oic.stage import Stage
    from oic.stages.verity import Slice


def run(stage: Stage[Slice]) -> str:
    """Create the root's file system and its hash tree."""
    part, tree = stage.slice, stage.read(ConfiguredTree)
    (root,) = part.tree.partitions
    trees = [layers.read(stage.cache / layer.place).tree for layer in tree.layers]
    chroot = layers.read(stage.cache / stage.read(BuildEnvironment).layer.place).tree
    place, work = stage.path("verity"), stage.path("work")
    if place.exists():
        shutil.rmtree(place)
    place.mkdir(parents=True)
    work.mkdir(exist_ok=True)
    writes = [place, work, stage.create_log()]
    image, hashes = place / f"{root.id}.img", place / f"{part.hashes}.img"
    making = fs.Making(part=part.tree, images={root.id: image}, known={}, epoch=tree.epoch, log=stage.log)
    size = namespace.call(making.create, trees, chroot, work / "verity", writes=writes)[root.id]
    found = namespace.call(
        _make_hashes, part, image, hashes, chroot, tree.epoch, work / "veritysetup", stage.log, writes=writes
    )
    needed = hashes.stat().st_size
    if part.hashes_size is not None and needed > part.hashes_size:
        wanted = f"expected {needed} bytes for the hash tree of '{root.id}' on '{part.hashes}'"
        raise OicError(f"{wanted}, found a partition of {part.hashes_size}")
    stage.write(BootedRoot(root_hash=found))
    stage.write(
        VerifiedRoot(
            root_hash=found,
            root=PartitionImage(id=root.id, path=stage.artefact(image), size=size, digest=digest_of_sparse(image)),
            hashes=PartitionImage(
                id=part.hashes,
                path=stage.artefact(hashes),
                size=part.hashes_size or whole_mib(needed),
                digest=digest_of_sparse(hashes),
            ),
        )
    )
    return f"{root.id} {root.type} {image.stat().st_size >> 20} MiB, root hash {found.hexadecimal}"


def _make_hashes(  # noqa: PLR0913 - runs in a namespace: all it knows is said here
    part: Slice, image: Path, hashes: Path, chroot: Path, epoch: int, work: Path, log: Path
) -> RootHash:
    """Write the hash tree; return the root hash."""
    doing("hash tree of the root")
    with (
        toolbox.workspace(work),
        toolbox.opened(chroot, work, log, visible=[image.parent]) as tools,
        atomic_file(hashes) as temporary,
    ):
        told = image.with_suffix(".roothash")
        argv = ["veritysetup", "format", f"--uuid={part.uuid}", f"--salt={part.salt}", "--hash=sha256"]
        argv += [f"--data-block-size={BLOCK}", f"--hash-block-size={BLOCK}", f"--root-hash-file={told}"]
        tools.run([*argv, str(image), str(temporary)], env=reproducible_env(epoch))
        found = told.read_text(encoding="ascii").strip()
        told.unlink()
        return RootHash(hexadecimal=found)
