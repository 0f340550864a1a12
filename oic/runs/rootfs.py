"""Runs the stage `oic.stages.rootfs`.

The key of a layer is a digest of its packages, the layers below it, the installing tool and this stage's version.
Recipes with the same bootstrap set share that layer.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from oic.chroot import creation, layers, namespace, overlay, toolbox
from oic.chroot.tree import Tree, remove_matches
from oic.errors import one_line
from oic.handover.packages import LockFile
from oic.handover.tree import BuildEnvironment, InstalledTree, LayerName, PassedScriptlets, PrivateKey
from oic.image.tree import drawn, firstboot
from oic.ospackage.near import near_hint
from oic.ospackage.store import Store
from oic.process import child
from oic.progress import note
from oic.provider import provider_of
from oic.provider.scriptlets import scriptlet_error
from oic.stages.rootfs import KIND, Slice
from oic.values import digest_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from oic.chroot.layers import Layer
    from oic.chroot.tree import Filled
    from oic.handover.tree import PassedOver
    from oic.ospackage.lock import LockedPackage
    from oic.stage import Stage


def run(stage: Stage[Slice]) -> str:
    """Create the layers, unless the cache has them."""
    lock = stage.read(LockFile).lock
    packages = lock.sets[stage.slice.set]
    family = stage.slice.provider
    provider = provider_of(family)
    store = Store(stage.cache / "store")
    stack: list[Layer] = []
    allowed = (*stage.slice.known_to_fail, *stage.slice.may_fail)
    tools = layers.read(stage.cache / stage.read(BuildEnvironment).layer.place)
    installer = provider.installed_by(tools.digest)
    key = digest_of({"stage": "rootfs", "version": KIND.version, **({"installer": installer} if installer else {})})
    for group in provider.groups(packages):
        members = [(package, store.path(package.sha256)) for package in group]
        key = digest_of({"below": key, "packages": [package.sha256 for package in group]})
        fill = partial(_fill, family, members, tools, tuple(stack), allowed, stage.log)
        stack.append(creation.get_or_create(stage.cache, key, fill, writes=[stage.create_log()]))
    named = tuple(LayerName(place=stage.artefact(layer.place), digest=layer.digest) for layer in stack)
    stage.write(PassedScriptlets(scriptlets=_passed(stack, packages, stage.slice)))
    image = [(package, store.path(package.sha256)) for package in packages]
    work = stage.path("work/rootfs")
    with toolbox.workspace(work):
        keys = namespace.call(_private_keys, family, image, stack, work, writes=[work])
    stage.write(InstalledTree(layers=named, epoch=stack[-1].epoch, private_keys=keys, repositories=lock.repositories))
    return f"{len(packages)} packages installed in {len(stack)} layers"


def _passed(stack: Sequence[Layer], packages: Sequence[LockedPackage], said: Slice) -> tuple[PassedOver, ...]:
    """Return and report the scriptlets whose failure was tolerated; raises ToolError for one that may not fail."""
    passed = tuple(one for layer in stack for one in layer.passed)
    allowed = (*said.known_to_fail, *said.may_fail)
    if refused := [one for one in passed if not one.is_let_pass(allowed)]:
        raise scriptlet_error(refused)
    for one in passed:
        by = "of the recipe" if one.is_let_pass(said.may_fail) else "of the distribution's data"
        words = f"the scriptlet {one.phase} of {one.package} failed ({one.how}), let pass by scriptletsMayFail {by}"
        note(one_line(": ".join([words, " / ".join(one.lines)]) if one.lines else words))
    names = {package.name for package in packages}
    for word in said.may_fail:
        name = word.partition(" ")[0]
        if name not in names:
            note(f"scriptletsMayFail has no effect for {word}: {_no_package(name, names)}")
        elif not any(one.is_let_pass([word]) for one in passed):
            note(f"scriptletsMayFail has no effect for {word}: it did not fail")
    return passed


def _no_package(name: str, names: Collection[str]) -> str:
    hint = near_hint(name, names)
    return f"the image has no package {name}" + (f" ({hint})" if hint else "")


def _private_keys(
    family: str, packages: Sequence[tuple[LockedPackage, Path]], stack: Sequence[Layer], work: Path
) -> tuple[PrivateKey, ...]:
    """Return the private keys that packages generated, and which package did, as far as is known."""
    with overlay.merged([layer.tree for layer in stack], work / "root") as root:
        whose = provider_of(family).belongings(packages, root)
        epochs = {layer.epoch for layer in stack}
        found = child.inside(root, drawn.private_keys, frozenset(whose.owners), whose.sums, epochs)
    return tuple(PrivateKey(path=path, kind=kind, made=whose.origin_of(path)) for path, kind in sorted(found.items()))


def _fill(  # noqa: PLR0913 - runs in a namespace
    family: str,
    members: Sequence[tuple[LockedPackage, Path]],
    tools: Layer,
    below: tuple[Layer, ...],
    allowed: Sequence[str],
    log: Path,
    part: Path,
) -> Filled:
    provider = provider_of(family)
    trees, upper = tuple(layer.tree for layer in below), part / "tree"
    with overlay.merged(trees, part / "root", upper=upper, work=part / "work") as root:
        tree = Tree(
            root=root,
            below=trees,
            upper=upper,
            log=log,
            epoch=below[-1].epoch if below else 0,
            tools=tools.tree,
            work=part / "tools",
        )
        filled = provider.install(members, tree, may_fail=allowed)
        child.inside(root, remove_matches, provider.leftovers())
        child.inside(root, firstboot.remove, provider.first_boot())
    return filled
