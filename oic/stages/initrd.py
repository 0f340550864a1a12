"""initrd: the initramfs, made once by the image's own generator from the packages and what it reads of the rest."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from oic.chroot import child, layers, namespace, overlay, sandbox, toolbox
from oic.files import digest_of_file, read_json, written_aside
from oic.image.tree import generators as initrd
from oic.progress import note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.chroot.sandbox import Sandbox
    from oic.stage import Stage


def run(stage: Stage) -> str:
    """Make the initramfs."""
    inputs = stage.read("initrd-inputs.json")
    # The layers' places are read past the hand-over on purpose: it has the packages' digests, and names in `reads` what
    # is taken from the configuration layer, the last.
    places = read_json(stage.path("system.json"))["layers"]
    *trees, top = [layers.read(stage.cache / place).tree for place in places]
    image = stage.path("initrd.img")
    work, modules = stage.path("work"), stage.slice["modules"]
    work.mkdir(exist_ok=True)
    writes = [work, stage.made_log()]
    content = namespace.call(_make, trees, top, inputs, modules, work / "initrd", stage.log, writes=writes)
    with written_aside(image) as aside:
        aside.write_bytes(content)
    digest, size = digest_of_file(image), image.stat().st_size
    stage.write({"sha256": digest, "artefacts": [stage.artefact(image)]})
    return f"{inputs['generator']}, kernel {inputs['version']}, {size / 1e6:.1f} MB"


def _make(  # noqa: PLR0913 - runs in a namespace: all it knows is said here
    trees: Sequence[Path],
    top: Path,
    inputs: dict[str, Any],
    modules: Sequence[str],
    work: Path,
    log: Path,
) -> bytes:
    """Return the initramfs."""
    name = inputs["generator"]
    with toolbox.workspace(work):
        upper = work / "upper"
        upper.mkdir()
        whole = "." in inputs["reads"]
        below = [*trees, top] if whole else trees
        with overlay.merged(below, work / "root", upper=upper, work=work / "work") as root:
            if not whole:
                child.inside(root, _place_all, child.inside(top, _read_all, sorted(inputs["reads"])))
            child.inside(root, _add_defaults, initrd.GENERATORS[name].defaults)
            env = {"SOURCE_DATE_EPOCH": str(inputs["epoch"])}
            with sandbox.opened(root, log, env=env) as box:
                there = _there(inputs["version"], modules, box)
                child.inside(root, _add_modules, initrd.GENERATORS[name].modules_file, there)
                argv = initrd.command(name, inputs["version"], there, "/tmp/initrd.img")  # noqa: S108 - a private tmpfs
                box.run(argv, capture=False, whole=True)
                return child.inside(box.tmp, _made)


def _there(version: str, modules: Sequence[str], box: Sandbox) -> list[str]:
    absent = initrd.absent(version, modules, box)
    if absent:
        note(f"kernel {version} has no module {', '.join(absent)} (enableExtraModules)")
    return [module for module in modules if module not in absent]


def _made(tmp: Path) -> bytes:
    return (tmp / "initrd.img").read_bytes()


def _read_all(top: Path, paths: Sequence[str]) -> list[tuple[str, bytes, int, str]]:
    """Read paths of the configuration layer, which is the root here: no link of it leads anywhere else."""
    return [
        (*_read(source), str(source.relative_to(top)))
        for path in paths
        for source in (top / path, *(() if (top / path).is_symlink() else sorted((top / path).rglob("*"))))
    ]


def _place_all(root: Path, entries: Sequence[tuple[str, bytes, int, str]]) -> None:
    """Put them into the generator's view of the tree; a whiteout removes."""
    for entry in entries:
        _place(root, *entry)


def _read(source: Path) -> tuple[str, bytes, int]:
    if source.is_symlink():
        return "link", os.fsencode(os.readlink(source)), 0
    if source.is_char_device():
        return "gone", b"", 0
    mode = source.stat().st_mode & 0o7777
    if source.is_dir():
        replaced = "user.overlay.opaque" in os.listxattr(source)  # nothing of the layers below shows through it
        return "new directory" if replaced else "directory", b"", mode
    return "file", source.read_bytes(), mode


def _place(root: Path, kind: str, content: bytes, mode: int, name: str) -> None:
    path = root / name
    if kind == "new directory" and path.exists():
        shutil.rmtree(path)
    if kind.endswith("directory"):
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    if kind == "link":
        path.symlink_to(os.fsdecode(content))
    elif kind == "file":
        path.write_bytes(content)
        path.chmod(mode)


def _add_defaults(root: Path, files: Sequence[tuple[str, str]]) -> None:
    for name, text in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def _add_modules(root: Path, file: str, modules: Sequence[str]) -> None:
    if file and modules:
        with (root / file).open("a", encoding="utf-8") as out:
            out.write("".join(f"{module}\n" for module in modules))
