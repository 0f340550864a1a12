"""The list of mistakes, ``mistakes.yml``, and what the real ``oic`` says of each.

A case has a `name`, the `words` of the command line (``validate r.yml`` unless given), a `recipe` (two lines that make
it complete are put before it; `whole: true` leaves them out), more `files`, and the golden `says` with its `status`.
What depends on the place is written ``HERE``, ``HOME`` and ``OIC`` (the project).

``python -m mistakes.cases`` in ``tests/`` writes what is said now into the list: read the difference before it is
committed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

LIST = Path(__file__).with_name("mistakes.yml")
PROJECT = Path(__file__).parents[2]
HEAD = """image: {name: r, version: 1.0.0}
target: {os: debian, dist: debian12, arch: x86_64, imageType: raw}
"""


def cases() -> list[dict[str, Any]]:
    """Return the list."""
    found: list[dict[str, Any]] = yaml.safe_load(LIST.read_text(encoding="utf-8"))
    return found


def said_of(case: dict[str, Any], place: Path) -> tuple[str, int]:
    """Return what is said of a mistake, and the exit status."""
    here, home = place / "here", place / "home"
    here.mkdir()
    home.mkdir()
    files = {**case.get("files", {})}
    if "recipe" in case:
        files["r.yml"] = ("" if case.get("whole") else HEAD) + case["recipe"]
    for name, text in files.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(text)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OIC_", "XDG_"))}
    done = subprocess.run(
        [Path(sys.executable).with_name("oic"), *case.get("words", "validate r.yml").split()],
        cwd=here,
        env={**environment, "HOME": str(home), "COLUMNS": "80", **case.get("environment", {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    said = done.stdout
    for real, written in ((here, "HERE"), (home, "HOME"), (PROJECT, "OIC")):
        said = said.replace(str(real), written)
    return said, done.returncode


class _Text(str):
    """A text written as a block."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Writes the list in one way."""


def _block(dumper: yaml.SafeDumper, text: _Text) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


_Dumper.add_representer(_Text, _block)


def to_yaml(found: list[dict[str, Any]]) -> str:
    """Return the text of a list."""
    return "\n".join(
        yaml.dump([_marked(case)], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000) for case in found
    )


def _marked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _marked(item) for key, item in value.items()}
    return _Text(value) if isinstance(value, str) and "\n" in value else value


def main() -> None:
    """Write what is said now into the list."""
    found = cases()
    for case in found:
        with tempfile.TemporaryDirectory() as place:
            case["says"], case["status"] = said_of(case, Path(place).resolve())
    LIST.write_text(to_yaml(found), encoding="utf-8")


if __name__ == "__main__":
    main()
