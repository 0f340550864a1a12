"""A copy of a template, with the files that it names, in which mirror, URLs and keys are those of a server."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .mirrors import Mirror

TRUSTED = "[trusted=yes]"
DEPTH = ("a", "b", "c", "d")
"""Directories above the copy: a template names files as ``../../file``."""


def copy_template(template: Path, place: Path) -> Path:
    """Copy a template, the files beside it, and those that these name and that are there or in directories above."""
    shutil.rmtree(place, ignore_errors=True)
    folder = place.joinpath(*DEPTH)
    folder.mkdir(parents=True)
    (place / ".git").mkdir()  # where the search for files ends
    for file in template.parent.glob("*.y*ml"):
        shutil.copyfile(file, folder / file.name)
        for entry in _read(file).get("systemConfig", {}).get("additionalFiles", []):
            _copy_local(entry.get("local", ""), template.parent, folder, place)
    return folder / template.name


def _copy_local(local: str, beside: Path, folder: Path, place: Path) -> None:
    """Copy a file to where the copy of a template finds it: as far above as it was found."""
    if not local or local.startswith("/"):
        return
    for base, copy in zip((beside, *beside.parents), (folder, *folder.parents)[: len(DEPTH)], strict=False):
        source, target = base / local, Path(os.path.normpath(copy / local))
        if source.exists() and target.is_relative_to(place):
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                shutil.copyfile(source, target)
            return


def rewrite(copy: Path, url: str, mirror: Mirror) -> None:
    """Write the server's mirror, repositories and key into a copy and its parents, and change nothing else."""
    for file in _chain(copy):
        text = file.read_text(encoding="utf-8")
        text = _with_mirror(text, [line.format(url=url) for line in mirror.target])
        for entry in _read(file).get("packageRepositories", []):
            for key in (entry.get("pkey"), *entry.get("pkeys", [])):
                if isinstance(key, str) and not key.startswith((TRUSTED, "<")):
                    text = _replaced(text, key, f"{url}/key.asc")
            place = str(entry.get("url") or entry.get("path") or "<")
            if not place.startswith("<"):
                text = _replaced(text, place, f"{url}/{mirror.folder_of(place)}")
        file.write_text(text, encoding="utf-8")


def _chain(copy: Path) -> Iterator[Path]:
    """Yield a template and what it extends."""
    yield copy
    if parent := _read(copy).get("extends"):
        yield from _chain(copy.parent / parent)


def _read(file: Path) -> dict[str, Any]:
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {key: value for key, value in found.items() if value is not None} if isinstance(found, dict) else {}


def _with_mirror(text: str, lines: list[str]) -> str:
    block = re.search(r"^target:[ \t]*(?:#.*)?\n(?P<indent>[ \t]+)", text, re.MULTILINE)
    if block:
        more = "".join(f"{line}\n{block['indent']}" for line in lines)
        return f"{text[: block.end()]}{more}{text[block.end() :]}"
    return re.sub(r"^target:[ \t]*\{", "target: {" + "".join(f"{line}, " for line in lines), text, flags=re.MULTILINE)


def _replaced(text: str, old: str, new: str) -> str:
    return re.sub(rf"(?<=[\s\"'\[]){re.escape(old)}(?=[\s\"',\]}}]|$)", lambda _: new, text)
