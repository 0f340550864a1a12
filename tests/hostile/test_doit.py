"""A package's script and a recipe's command, let loose by the real doit: the log, the words, the layers."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from e2e.tiny import Package
from e2e.tiny_rpm import hello

from oic.chroot.tree import digest_of_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.bench import Bench
    from e2e.tiny import Tiny
    from e2e.tiny_rpm import TinyRpm
    from provider.rpm.keys import Key

    from .ways import Roots

WORD = "said-to-doit-alone"
SCRIPT = """
exec 7> /said
: > /proc/self/fd/2
echo "$0" > /proc/self/fd/1
read -r words < /proc/1/cmdline; echo "words $words" >&7
read -r line < CANARY && echo "canary $line" >&7
echo evil > CANARY
for n in 1 2 3 9 15 19; do kill -$n 1; done
(trap '' TERM HUP; while :; do echo late >> /late; done) &
(trap '' TERM HUP; sleep 1000) &
until [ -e /late ]; do :; done
echo "$OIC_TOKEN ran" >&7
"""
"""With the shell alone: the tiny distributions have little else."""


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "canary"
    file.write_text("of the host\n")
    yield file
    assert file.read_text() == "of the host\n"


def _let_loose(bench: Bench, stage: str, log: Path) -> None:
    bench.environment["OIC_TOKEN"] = WORD
    with bench.recipe.open("a") as recipe:  # a word of the command line that nothing uses is refused
        recipe.write('\nmetadata: {description: "${word}"}\n')
    bench.oic(stage, f"var.word={WORD}")
    assert log.read_text().startswith("$ "), "it was cut"
    assert not log.stat().st_mode & 0o7133
    (said,) = bench.cache.glob("layers/*/tree/said")
    assert said.read_text() == "words \n ran\n"
    layer = said.parent.parent
    assert json.loads((layer / "layer.json").read_text())["digest"] == digest_of_tree(layer / "tree")
    assert (layer / "tree/late").exists()


def test_a_scriptlet(rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key], tmp_path: Path, canary: Path) -> None:
    script = SCRIPT.replace("CANARY", str(canary))
    file = keys["own"].sign(hello(f"%post\n{script}").make(tmp_path / "made"))
    tiny_rpms.publish(hello=file.read_bytes())
    _let_loose(rpm_bench, "rootfs", rpm_bench.image / "log/rootfs.log")


def _recipe_of(command: str) -> str:
    return "systemConfig:\n  configurations:\n    - cmd: |\n" + "".join(
        f"        {line}\n" for line in command.splitlines()
    )


def test_a_command(rpm_bench: Bench, canary: Path) -> None:
    rpm_bench.write(_recipe_of(SCRIPT.replace("CANARY", str(canary))))
    _let_loose(rpm_bench, "system", rpm_bench.image / "log/command-0.log")


def test_a_maintainer_script(bench: Bench, tiny: Tiny, roots: Roots, tmp_path: Path, canary: Path) -> None:
    base = _built(tmp_path / "base", "Package: base\nEssential: yes", roots.base, "")
    postinst = SCRIPT.replace("CANARY", str(canary))
    evil = _built(tmp_path / "hello", "Package: hello\nDepends: libtiny1 (>= 1), greeter | other", None, postinst)
    tiny.packages = {**tiny.packages, "base_1": base, "hello_1": evil}
    tiny.publish()
    _let_loose(bench, "rootfs", bench.image / "log/rootfs.log")


def _built(place: Path, control: str, content: Path | None, postinst: str) -> Package:
    if content:
        shutil.copytree(content, place, symlinks=True)
        shutil.rmtree(place / "var/lib/dpkg")
    (place / "DEBIAN").mkdir(parents=True)
    whole = f"{control}\nVersion: 1\nArchitecture: amd64\nMaintainer: nobody\nDescription: made for a test"
    (place / "DEBIAN/control").write_text(f"{whole}\n")
    if postinst:
        (place / "DEBIAN/postinst").write_text(f"#!/bin/sh\n{postinst}")
        (place / "DEBIAN/postinst").chmod(0o755)
    file = place.with_suffix(".deb")
    argv = ["dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "--build", str(place), str(file)]
    subprocess.run(argv, check=True, capture_output=True)
    return Package(file=file.name, data=file.read_bytes(), control=whole)
