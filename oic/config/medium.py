"""The recipe of the initramfs that an ISO boots: ``initramfs.template``, or the distribution's own.

The program that it starts with is added to it, and the installer where it is to install something.

A template of its own is a whole recipe of the same distribution, with ``imageType: img``. One without ``target``, as
those beside the distribution's defaults are, is laid under the ISO's own ``image`` and ``target``.
"""

from __future__ import annotations

import hashlib
import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oic.config.additional import find
from oic.config.assemble import target_of
from oic.config.disk import IMG
from oic.config.distribution import DistributionData, read_distribution
from oic.config.iso import is_distributions_own, is_installer, text_of, wrong_with
from oic.config.model import AdditionalFile
from oic.config.source import Node, read_bytes
from oic.config.trees import parse
from oic.config.whole import Whole, read_whole
from oic.files import digest_of_file
from oic.image.cpio import LAST
from oic.image.medium.init import INIT
from oic.values import Digest

if TYPE_CHECKING:
    from oic.config.additional import Places
    from oic.config.model import FinalConfig
    from oic.config.variables import Variables

    Problems = list[tuple[Node, str]]

_MODULES, _UNITS = "/usr/lib/oic/oic_installer", "/usr/lib/systemd/system"


def template_of(iso: Whole, places: Places) -> Path | None:
    """Return the file of the recipe of an ISO's initramfs, if it is there."""
    named = iso.tree.get("systemConfig", "initramfs", "template")
    path = find(named, places)
    own = places.defaults / f"{IMG}-{target_of(iso.tree).arch}.yml" if places.defaults else path
    found = [one for one in (path, *([own] if is_distributions_own(named.text) else [])) if os.path.isfile(one)]
    return found[0] if found else None


def unbuilt_template(iso: Whole) -> tuple[Node, str]:
    """Say that the recipe of the initramfs is not there: public templates are valid without it, but not built."""
    named = iso.tree.get("systemConfig", "initramfs", "template")
    beside = "beside the recipe or the distribution's defaults"
    return named, f"expected the recipe of the initramfs that the ISO boots, {beside}, found {named.text or 'nothing'}"


def read_medium(iso: Whole, path: Path, variables: Variables, problems: Problems, kept: Path | None = None) -> Whole:
    """Read the recipe of an ISO's initramfs, with what is wrong with it; raises RecipeError for a file that is none."""
    named = iso.tree.get("systemConfig", "initramfs", "template")
    template = parse(read_bytes(path), path, kept)
    if template.get("target").value is None:
        return _of_defaults(iso, template, path, kept)
    whole, wanted = read_whole(path, variables, problems, kept), replace(target_of(iso.tree), image_type=IMG)
    if target_of(whole.tree) != wanted:
        found, words = (f"{one.os}/{one.dist} {one.arch} {one.image_type}" for one in (target_of(whole.tree), wanted))
        problems.append((named, f"expected a recipe for {words}, found one for {found}"))
    return whole


def _of_defaults(iso: Whole, template: Node, path: Path, kept: Path | None) -> Whole:
    target = iso.tree.get("target")
    own = Node({**target.entries, "imageType": Node(IMG, target.file, target.line, "target.imageType")}, *_at(target))
    recipe = Node({"image": iso.tree.get("image"), "target": own}, *_at(iso.recipe))
    facts = read_distribution(target_of(recipe), kept)
    data = DistributionData(
        id=facts.id,
        facts=facts.facts,
        defaults=template,
        content=(*facts.content, read_bytes(path)),
        folder=facts.folder,
    )
    tree = Node({**template.entries, **recipe.entries}, *_at(template))
    return Whole(parts=(), data=data, recipe=recipe, tree=tree)


def _at(node: Node) -> tuple[Path, int, str]:
    return node.file, node.line, node.path


def answers_of(tree: Node, problems: Problems) -> str:
    """Return the text of an ISO's answers: those of the recipe, or the file that it names, with what is wrong there."""
    node = tree.get("iso", "answers")
    if not node.text:
        return text_of(node)
    path = node.file.absolute().parent / node.text
    try:
        answers = path.read_text("utf-8", "replace")
    except OSError as error:
        problems.append((node, f"expected a file of answers, found {path}: {error.strerror}"))
        return ""
    if text := wrong_with(answers):
        problems.append((node, f"{path}:{text}"))
    return answers


def as_medium(config: FinalConfig, *, installs: bool) -> FinalConfig:
    """Return the config of an initramfs with the program that it starts with, and with the installer if it `installs`.

    Of the public tool's installer nothing is left: neither its files nor that it is anybody's shell.
    """
    files = (_text("/init", INIT, 0o755), _text(f"/{LAST}", "", 0o644), *(installer_files() if installs else ()))
    own = [file for file in config.system.files if file.final not in {file.final for file in files}]
    users = tuple(
        replace(user, startup_script="") if is_installer(user.startup_script) else user for user in config.system.users
    )
    packages = (*config.system.packages, *(config.distribution.packages_for.get("installer", ()) if installs else ()))
    system = replace(config.system, files=(*own, *files), users=users, packages=tuple(dict.fromkeys(packages)))
    return replace(config, system=system)


def installer_files() -> tuple[AdditionalFile, ...]:
    """Return the installer as files of an image: the modules of `oic.installer`, and its units."""
    folder = Path(str(resources.files("oic"))) / "installer"
    modules = {f"{_MODULES}/{path.name}": path for path in sorted(folder.glob("*.py"))}
    units = {f"{_UNITS}/{path.name}": path for path in sorted((folder / "units").glob("*"))}
    return tuple(
        AdditionalFile(local=path, final=final, kind="file", mode=0o644, owner="", sha256=digest_of_file(path))
        for final, path in {**modules, **units}.items()
    )


def _text(final: str, content: str, mode: int) -> AdditionalFile:
    digest = Digest(hashlib.sha256(content.encode()).hexdigest())
    return AdditionalFile(local=Path(), final=final, kind="file", mode=mode, owner="", sha256=digest, content=content)
