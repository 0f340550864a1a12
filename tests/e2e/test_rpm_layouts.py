"""Repositories of rpms as others lay them out, in one recipe and over TLS: installed, the same in any order."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from provider.rpm.made import Made

from .test_recipe_repositories import packages_of
from .tiny_rpm import BASE, TinyRpm

if TYPE_CHECKING:
    from pathlib import Path

    from net.mirror import Answer, Request
    from provider.rpm.keys import Key

    from .bench import Bench

NAMES = ("oic-listed", "oic-unsigned", "oic-bare", "oic-tar", "oic-directory")


@pytest.fixture
def layouts(tiny_rpms: TinyRpm, keys: dict[str, Key], rpm_bench: Bench, tmp_path: Path) -> list[dict[str, object]]:
    """Serve a repository of each layout; return the entries of a recipe."""
    made = {name: package(name, tmp_path) for name in NAMES}
    key = {"pkey": tiny_rpms.mirror.url("/listed/key")}
    for name in NAMES[:2]:
        keys["foreign"].sign(made[name])
    for name in NAMES[:3]:
        publish(tiny_rpms, name, made[name], keys["foreign"], tmp_path)
    for word in ("unsigned", "bare"):
        tiny_rpms.lose(f"/{word}/repodata/repomd.xml.asc")
    url = tiny_rpms.mirror.url
    tiny_rpms.serve("/listed/key", keys["foreign"].public())
    tiny_rpms.serve("/list", f"{url('/gone')}\n{url('/listed')}\n".encode())
    argv = ["tar", "-czf", str(tmp_path / "a.tgz"), "-C", str(tmp_path), f"oic-tar/{made['oic-tar'].name}"]
    subprocess.run(argv, check=True)
    tiny_rpms.serve("/a.tgz", (tmp_path / "a.tgz").read_bytes())
    (rpm_bench.place / "rpms").mkdir()
    made["oic-directory"].rename(rpm_bench.place / "rpms/directory.rpm")
    return [
        {"codename": "listed", "mirrorList": url("/list"), **key},
        {"codename": "unsigned", "url": url("/unsigned"), "signedMetadata": False, **key},
        {"codename": "bare", "url": url("/bare"), "pkey": "[trusted=yes]"},
        {"codename": "files", "packages": [url("/a.tgz"), "rpms"]},
    ]


def package(name: str, place: Path) -> Path:
    install = f"mkdir -p %{{buildroot}}/usr/share; echo {name} >%{{buildroot}}/usr/share/{name}"
    return Made(name=name, install=install, files=f"/usr/share/{name}").make(place / name)


def publish(tiny: TinyRpm, name: str, file: Path, key: Key, place: Path) -> None:
    """Serve a repository of one package, signed, at the last word of its name."""
    word = name.rpartition("-")[2]
    other = TinyRpm(mirror=tiny.mirror, packages={name: file.read_bytes()}, key=key, place=place / f"{word}-repository")
    other.publish()
    for path, body in other.bodies.items():
        tiny.serve(path.replace(BASE, f"/{word}"), body)
    tiny.publish(revision=2000 + NAMES.index(name))


def delayed(answer: Answer, seconds: float) -> Answer:
    def answer_late(request: Request) -> None:
        time.sleep(seconds)
        answer(request)

    return answer_late


def test_the_tree_has_the_packages_of_each(
    rpm_bench: Bench, tiny_rpms: TinyRpm, layouts: list[dict[str, object]]
) -> None:
    packages = json.dumps({"packages": list(NAMES)})
    rpm_bench.write(f"packageRepositories: {json.dumps(layouts)}\nsystemConfig: {packages}\n")
    rpm_bench.oic("rootfs").succeeded(
        "2 repositories, signatures good; 1 with unsigned metadata; 1 unsigned; 1 of package files",
        "1 packages nobody signed, by [trusted=yes] of the recipe: oic-bare",
        "2 packages nobody signed, of the recipe's files: oic-directory, oic-tar",
        "8 packages installed",
    )
    expected = dict(zip(NAMES, ("listed", "unsigned", "bare", "files", "files"), strict=True))
    assert {name: packages_of(rpm_bench)[name][1] for name in NAMES} == expected
    for name in NAMES:
        (content,) = rpm_bench.cache.glob(f"layers/*/tree/usr/share/{name}")
        assert content.read_text() == f"{name}\n"
    for number, (path, answer) in enumerate(sorted(tiny_rpms.mirror.answers.items())):
        tiny_rpms.mirror.answers[path] = delayed(answer, 0.3 * (number % 5))
    other = rpm_bench.place / "other"
    rpm_bench.oic("rootfs", cache=other).succeeded()
    for name in ("lock.json", "trust.json", "rootfs.json"):
        assert (other / "small" / name).read_bytes() == (rpm_bench.image / name).read_bytes(), name
