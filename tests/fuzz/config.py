"""Recipes, the distributions' data, and the host's own lists of repositories."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from fuzz.harness import HERE, Harness
from oic.config.apt_sources import read_mirrors
from oic.config.dnf_sources import read_repository
from oic.config.final import load_config
from oic.config.printed import recipe_text
from oic.config.source import plain
from oic.config.trees import parse
from oic.config.yaml_text import MAX_NODES
from oic.plan import plan

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = HERE.parents[1]
RECIPES = PROJECT / "recipes"
DEBIAN = PROJECT / "oic/distributions/debian/debian12"
SMALL = b"""image: {name: a, version: "1"}
target: {os: debian, dist: debian12, arch: x86_64, imageType: raw, mirror: "http://mirror.invalid/debian"}
systemConfig: {name: a, hostname: "${var}", packages: [curl, &a "b=1"], additionalFiles: [{local: a, final: /a}]}
"""
_PLACE = tempfile.TemporaryDirectory(prefix="fuzz-")
_HERE = Path(_PLACE.name)


def _parse(data: bytes) -> None:
    node = parse(data, Path("/a.yml"))
    text = yaml.safe_dump(plain(node))
    assert text.count("\n") <= MAX_NODES * 60
    assert plain(parse(data, Path("/b.yml"))) == plain(node)


def _load(recipe: Path) -> None:
    try:
        config = load_config(recipe, {"var": "value"}, root=_HERE / "root")
    except Exception as error:
        _check_lines(str(error))
        raise
    recipe_text(recipe, {"var": "value"}, origins=True)
    if not config.unbuilt:
        plan(config, _HERE / "cache")


def _check_lines(text: str) -> None:
    """Expect each line to be one of the project's: file, line and problem, or a hint."""
    odd = [line for line in text.split("\n") if not line.startswith(("/", "    ", "OIC_"))]
    assert not odd, f"a line of the input's: {odd[0]!r}"


def _recipe(data: bytes) -> None:
    file = _HERE / "a.yml"
    file.write_bytes(data)
    _load(file)


def _distribution(data: bytes) -> None:
    """The facts, or after a line of dashes alone the defaults."""
    facts, _, defaults = data.partition(b"\n-----\n")
    folder = _HERE / "distributions/own/dist"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "distribution.yml").write_bytes(facts)
    (folder / "raw-x86_64.yml").write_bytes(defaults)
    recipe = _HERE / "own.yml"
    recipe.write_bytes(b"image: {name: a, version: '1'}\ntarget: {os: own, dist: dist, arch: x86_64, imageType: raw}\n")
    os.environ["OIC_DISTRIBUTIONS"] = str(_HERE / "distributions")
    try:
        _load(recipe)
    finally:
        del os.environ["OIC_DISTRIBUTIONS"]


def _apt(data: bytes) -> None:
    one_line, _, rest = data.partition(b"\n-----\n")
    deb822, _, listed = rest.partition(b"\n-----\n")
    apt = _HERE / "apt/etc/apt"
    (apt / "sources.list.d").mkdir(parents=True, exist_ok=True)
    (apt / "sources.list").write_bytes(one_line)
    (apt / "sources.list.d/a.sources").write_bytes(deb822)
    (apt / "mirrors").write_bytes(listed)
    found = read_mirrors(["bookworm", "stable"], ["/usr/share/keyrings/debian-archive-keyring.gpg"], _HERE / "apt")
    for url in (found.main, found.security):
        assert url is None or url.startswith(("http:", "https:"))


def _dnf(data: bytes) -> None:
    repository, _, variable = data.partition(b"\n-----\n")
    for name, content in (("yum.repos.d/a.repo", repository), ("dnf/vars/release", variable)):
        file = _HERE / "dnf/etc" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    found = read_repository(["base", "main"], _HERE / "dnf")
    assert found is None or found.url or found.mirror_list


def _recipes() -> Iterator[bytes]:
    yield SMALL
    yield from (file.read_bytes() for file in sorted(RECIPES.glob("*.yml"))[:4])


APT = b"""deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://a.invalid/debian bookworm main
deb mirror+file:/etc/apt/mirrors stable main # a
-----
Types: deb
URIs: mirror+file:/etc/apt/mirrors
Suites: bookworm-security
 bookworm
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
-----
http://b.invalid/debian priority:1
"""
DNF = b"""[base]
name=Base
baseurl=http://a.invalid/$basearch/
gpgkey=file:///etc/a, https://b.invalid/b
enabled=1
[main]
mirrorlist=https://a.invalid/?a=b
-----
9
"""
NESTED = b"a: &a [x, y]\nb: [*a, *a]\nc: |\n  text\n? d\n: 1.10\nindex: 7\ne: yes\n"

HARNESSES = (
    Harness(name="yaml", run=_parse, seeds=lambda: [SMALL, NESTED, b"[" * 200], most=2048),
    Harness(name="recipe", run=_recipe, seeds=lambda: list(_recipes()), lines=True, mutants=60),
    Harness(
        name="distribution",
        run=_distribution,
        seeds=lambda: [
            (DEBIAN / "distribution.yml").read_bytes() + b"\n-----\n" + (DEBIAN / "raw-x86_64.yml").read_bytes()
        ],
        lines=True,
        mutants=40,
        most=8192,
    ),
    Harness(name="apt-sources", run=_apt, seeds=lambda: [APT], mutants=500, most=2048),
    Harness(name="dnf-sources", run=_dnf, seeds=lambda: [DNF], mutants=500, most=2048),
)
