# ruff: noqa: INP001  the folders of tests are packages, it is none itself
"""The rules of the design that can be read off the source: who may import what, and how large things may grow."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oic.provider import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parent.parent
SOURCES = sorted((PROJECT / "oic").rglob("*.py"))

WORLD = {"subprocess", "requests", "urllib3", "socket", "gnupg", "ctypes", "multiprocessing"}
"""What leaves the process."""
DISK = {"os", "pathlib", "shutil", "tempfile", "fcntl"}
"""What touches files."""

PURE = (
    "oic.values",
    "oic.errors",
    "oic.ospackage.demands",
    "oic.ospackage.entry",
    "oic.ospackage.lock",
    "oic.ospackage.locked",
    "oic.ospackage.near",
    "oic.ospackage.origin",
    "oic.ospackage.problems",
    "oic.ospackage.solver",
    "oic.config.merge",
    "oic.config.model",
    "oic.config.partition_types",
    "oic.config.repository",
    "oic.config.sizes",
    "oic.provider.age",
    "oic.provider.belongings",
    "oic.provider.compression",
    "oic.provider.streams",
    "oic.provider.deb.feed",
    "oic.provider.deb.packages",
    "oic.provider.deb.preference",
    "oic.provider.deb.problems",
    "oic.provider.deb.relation",
    "oic.provider.deb.release",
    "oic.provider.deb.stanza",
    "oic.provider.deb.universe",
    "oic.provider.deb.version",
    "oic.provider.deb.words",
    "oic.provider.rpm.header",
    "oic.provider.rpm.package",
    "oic.provider.rpm.payload",
    "oic.provider.rpm.placement",
    "oic.provider.rpm.signature",
    "oic.provider.rpm.tags",
    "oic.provider.rpm.markup",
    "oic.provider.rpm.repomd",
    "oic.provider.rpm.rich",
    "oic.provider.rpm.version",
    "oic.image.tree.privatekeys",
    "oic.image.disk.attributes",
    "oic.image.disk.geometry",
    "oic.image.disk.gpt",
    "oic.image.seeds",
    "oic.image.boot.uki",
    "oic.reproduce.content",
)
"""Bytes and values in, values out."""
READERS = (
    "oic.config.final",
    "oic.config.distribution",
    "oic.ospackage.graph",
    "oic.provider.deb.solve",
    "oic.provider.rpm.solve",
)
"""These, and all they import, may read files, and reach no further."""

SUBPROCESS = {
    "oic.process.run": "the one door",
    "oic.process.pipes": "the streams of what it starts",
    "oic.boottest.vm": "qemu runs beside the test that talks to it, and does not run to an end",
}
NETWORK = {
    "oic.ospackage.http": "the fetcher",
    "oic.ospackage.answers": "its judgement of answers",
    "oic.ospackage.transport": "its connections",
    "oic.chroot.seccomp": "names the families of sockets that programs may make",
    "oic.process.syscalls": "raises the loopback of a namespace by an ioctl, which wants a socket",
}
LONG_FILES = {
    "oic/config/source.py": "the tree and the reader that makes it",
    "oic/provider/deb/install.py": "the steps of an installation, in the one order that works",
    "oic/provider/deb/unpack.py": "whose file wins when two packages have it: one question, one place",
}
"""Files of more than 250 lines, and of 300 at most."""


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in SOURCES}


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def _statements(body: list[ast.stmt], *, later: bool) -> Iterator[ast.stmt]:
    """Yield statements that run: never those for the type checker; those inside functions only when `later`."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            yield from _statements(statement.orelse, later=later)
        elif later or not isinstance(statement, ast.FunctionDef):
            for field in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(statement, field, []), later=later)
            for handler in getattr(statement, "handlers", []):
                yield from _statements(handler.body, later=later)


@cache
def imports_of(module: str, *, later: bool = True) -> frozenset[str]:
    """Return the modules that a module imports by itself, those of this project and the top names of others."""
    found: set[str] = set()
    for statement in _statements(tree_of(module).body, later=later):
        if isinstance(statement, ast.Import):
            found.update(alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            assert statement.level == 0, f"{module}: relative import"
            names = {f"{statement.module}.{alias.name}" for alias in statement.names}
            found |= {name for name in names if name in MODULES} or {str(statement.module)}
    return frozenset(name if name in MODULES else name.partition(".")[0] for name in found)


def reached_from(module: str) -> dict[str, str]:
    """Return everything imported along the way when this module is, each with who imports it."""
    reached: dict[str, str] = {}
    todo = [module]
    while todo:
        importer = todo.pop()
        for name in imports_of(importer, later=False) - reached.keys():
            reached[name] = importer
            if name in MODULES:
                todo.append(name)
    return reached


def test_the_walk_finds_what_is_far_away() -> None:
    """Otherwise the tests below would pass for nothing."""
    assert reached_from("oic.ospackage.http")["requests"] in NETWORK
    assert "subprocess" in reached_from("oic.tasks.stage_tasks")
    assert "socket" in imports_of("oic.ospackage.transport")


@pytest.mark.parametrize("module", PURE)
def test_the_core_imports_neither_world_nor_disk(module: str) -> None:
    bad = {name: importer for name, importer in reached_from(module).items() if name in WORLD | DISK}
    assert bad == {}
    assert not imports_of(module) & (WORLD | DISK)


@pytest.mark.parametrize("module", READERS)
def test_what_reads_files_reaches_no_further(module: str) -> None:
    assert {name: importer for name, importer in reached_from(module).items() if name in WORLD} == {}


def test_listing_tasks_loads_nothing_of_the_network() -> None:
    """requests and what it imports take longer than all the rest of a start."""
    assert {"requests", "urllib3", "networkx", "jsonschema"}.isdisjoint(reached_from("oic.tasks.command_line"))


PLANNED = """
import sys
from pathlib import Path
from oic.config.final import load_config
from oic.plan import plan

config, events = load_config(Path(sys.argv[1]), {}), []
sys.addaudithook(lambda event, _: events.append(event))
plan(config, Path("/cache"))
touching = ("open", "os", "socket", "subprocess", "shutil")
print(sorted({event for event in events if event.partition(".")[0] in touching}))
"""


def test_a_plan_is_made_of_the_config_alone() -> None:
    """It knows the stages, and these what they need to run: what is held here is that planning touches none of it."""
    argv = [sys.executable, "-c", PLANNED, str(PROJECT / "recipes/minimal.yml")]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("wanted", "allowed"), [({"subprocess"}, SUBPROCESS), ({"requests", "urllib3", "socket", "http"}, NETWORK)]
)
def test_there_is_one_door_each(wanted: set[str], allowed: dict[str, str]) -> None:
    assert {module for module in MODULES if imports_of(module) & wanted} == set(allowed)


def test_nothing_starts_programs_past_the_door() -> None:
    starts = re.compile(r"\bos\.(system|popen|posix_spawnp?|spawn\w+)\b|\bpty\.spawn\b|shell=True")
    assert [module for module, path in MODULES.items() if starts.search(path.read_text(encoding="utf-8"))] == []


def test_no_family_is_known_outside_itself() -> None:
    for module in MODULES.keys() - {"oic.provider"}:  # where a family is got by its name
        inside = module.startswith("oic.provider.")
        own = tuple(f"oic.provider.{family}" for family in FAMILIES)
        assert inside or not [name for name in imports_of(module) if name.startswith(own)], module
    words = "dpkg|rpm|deb|apt|dnf|tdnf|yum|debian|ubuntu|azure|fedora|elxr|azl3|emt3"
    families = re.compile(rf"\b({words})\b", re.IGNORECASE)
    blind = [
        *(PROJECT / "oic/plan").glob("*.py"),
        *(PROJECT / "oic/stages").glob("*.py"),
        *(PROJECT / "oic/image").rglob("*.py"),
    ]
    found = {path.name: families.findall(path.read_text(encoding="utf-8")) for path in blind}
    assert {name: words for name, words in found.items() if words} == {}


def test_the_graph_is_on_one_screen() -> None:
    assert len((PROJECT / "dodo.py").read_text(encoding="utf-8").splitlines()) <= 40


def test_files_and_functions_are_short() -> None:
    lengths = {path.relative_to(PROJECT).as_posix(): len(path.read_text().splitlines()) for path in SOURCES}
    assert {file for file, length in lengths.items() if length > 250} <= set(LONG_FILES)
    assert max(lengths.values()) <= 300
    functions = {
        f"{module}.{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for module in MODULES
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in functions.items() if length > 50} == {}
    assert statistics.median(functions.values()) <= 12


def test_every_module_says_what_it_is() -> None:
    assert [module for module in MODULES if not ast.get_docstring(tree_of(module))] == []
