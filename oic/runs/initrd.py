"""Runs the stage `oic.stages.initrd`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.chroot import layers, namespace, overlay, sandbox, toolbox
from oic.errors import OicError
from oic.files import atomic_file
from oic.handover.tree import Artefact, Initramfs, InitramfsInputs
from oic.image.tree import generators
from oic.image.tree.state import files_of
from oic.process import child
from oic.progress import note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from oic.chroot.sandbox import Sandbox
    from oic.stage import Stage
    from oic.stages.initrd import Slice


def run(stage: Stage[Slice]) -> str:
    """Create an initramfs for each kernel."""
    inputs = stage.read(InitramfsInputs)
    trees = [
        layers.read(stage.cache / layer.place).tree
        for layer in (*inputs.packages, *([inputs.read] if inputs.read else []))
    ]
    work, images, found = stage.path("work"), [], []
    work.mkdir(exist_ok=True)
    writes = [work, stage.create_log()]
    if stage.slice.state and inputs.generator != "dracut":
        wanted = "expected dracut in the image, whose initramfs can verify the root (immutability)"
        raise OicError(f"{wanted}, found {inputs.generator}", hint="name the package that has it in packages")
    for number, version in enumerate(inputs.versions):
        image = stage.path(f"initrd-{number}.img" if number else "initrd.img")
        arguments = (trees, inputs, version, stage.slice, work / "initrd", stage.log)
        content, existing = namespace.call(_create, *arguments, writes=writes)
        found.append(existing)
        with atomic_file(image) as temporary:
            temporary.write_bytes(content)
        images.append(Artefact.of(stage.artefact(image), content))
    added = tuple(module for module in stage.slice.modules if all(module in existing for existing in found))
    stage.write(Initramfs(images=tuple(images), generator=inputs.generator, modules=added))
    size = sum(image.size for image in images) / 1e6
    return f"{inputs.generator}, kernel {', '.join(inputs.versions)}, {size:.1f} MB"


def _create(  # noqa: PLR0913 - runs in a namespace
    trees: Sequence[Path], inputs: InitramfsInputs, version: str, part: Slice, work: Path, log: Path
) -> tuple[bytes, list[str]]:
    """Return the initramfs of a kernel, and the modules that it has in addition."""
    generator = generators.GENERATORS[inputs.generator]
    with toolbox.workspace(work):
        upper = work / "upper"
        upper.mkdir()
        with overlay.merged(trees, work / "root", upper=upper, work=work / "work") as root:
            child.inside(root, _add_defaults, [*generator.defaults, *(files_of(part.state) if part.state else ())])
            env = {"SOURCE_DATE_EPOCH": str(inputs.epoch)}
            with sandbox.opened(root, log, env=env) as box:
                found = _existing_modules(version, part.modules, box)
                child.inside(root, _add_modules, generators.modules_setting(inputs.generator, found))
                output = "/tmp/initrd.img"  # noqa: S108 - a private tmpfs
                argv = generators.command(inputs.generator, version, output)
                box.run(argv, capture=False, check_log=True)
                return child.inside(box.tmp, _read_result), found


def _existing_modules(version: str, modules: Sequence[str], box: Sandbox) -> list[str]:
    missing = generators.missing_modules(version, modules, box)
    if missing:
        note(f"kernel {version} has no module {', '.join(missing)} (enableExtraModules)")
    return [module for module in modules if module not in missing]


def _read_result(tmp: Path) -> bytes:
    return (tmp / "initrd.img").read_bytes()


def _add_defaults(root: Path, files: Sequence[tuple[str, str]]) -> None:
    for name, text in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def _add_modules(root: Path, added: Mapping[str, str]) -> None:
    for name, content in generators.with_added(root, added).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
