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

WORLD = {"subprocess", "requests", "urllib3", "http", "socket", "ssl", "gnupg", "ctypes", "multiprocessing"}
"""What leaves the process."""
DISK = {"os", "pathlib", "shutil", "tempfile", "fcntl", "sqlite3"}
"""What touches files. Of pathlib, ``PurePath`` and its like only compute with names and are left out."""
FILE_METHODS = {
    *("open", "read_bytes", "read_text", "write_bytes", "write_text", "touch", "mkdir", "unlink", "symlink_to"),
    *("exists", "is_file", "is_dir", "stat", "lstat", "iterdir", "glob", "rglob"),
}
"""What a module calls that is given a path and touches the file."""

# Every module is pure (bytes and values in, values out) unless it is listed here. The lists are exact: a module that
# becomes impure fails the test, and so does one that is listed and has become pure.
TOUCHES_DISK: dict[str, tuple[str, ...]] = {
    "reads the recipe and the files it names": (
        *(
            "config.additional",
            "config.package_files",
            "config.final",
            "config.medium",
            "config.lines",
            "config.parts",
            "config.printed",
            "config.recipe_repositories",
            "config.secure_boot",
            "config.source",
            "config.trees",
            "config.whole",
        ),
    ),
    "reads the data of distributions, the schemas, and where the host's packages come from": (
        *("config.apt_sources", "config.distribution", "config.dnf_sources", "config.repositories", "config.schema"),
        "config.facts",
    ),
    "asks a disk format what it can hold, and the same module makes it": (
        "config.checks",
        "config.disk_checks",
        "config.unbuilt",
    ),
    "says what the schema of a recipe suggests": ("image.tree.effects",),
    "reads and writes files of the cache": (
        "files",
        "ospackage.download",
        "provider.gathering",
        "ospackage.store",
        "stage",
        "tasks.database",
        "chroot.layers",
        "tasks.artefacts",
        "tasks.explain",
        "tasks.outlook",
    ),
    "tells how much space is left": ("process.host",),
    "locks the image's directory": ("tasks.claim", "tasks.signing"),
    "reads who the user is, and which ids are this user's": ("chroot.idmap",),
    "makes the stages into tasks; what runs one is loaded when it runs": (
        *("tasks.cleaning", "tasks.on_demand", "tasks.stage_tasks"),
    ),
    "finds the user's recipes, settings and cache": (
        "tasks.finding",
        "tasks.mistakes",
        "tasks.places",
        "tasks.recipes",
        "tasks.settings",
    ),
    "gives a stage its files": ("plan.maker",),
    "reads or writes the tree of an image": (
        *(
            "chroot.clock",
            "chroot.tree",
            "image.boot.grub.files",
            "image.fs.survey",
            "image.tree.accounts",
            "image.tree.additional",
        ),
        *(
            "image.tree.drawn",
            "image.tree.esp",
            "image.tree.firstboot",
            "image.tree.grow",
            "image.tree.keyfiles",
            "image.tree.texts",
            "image.tree.generators",
            "image.tree.kernels",
        ),
        *("provider.deb.belongings", "provider.deb.database", "provider.rpm.belongings", "provider.rpm.sources"),
    ),
    "reads a package file or an archive of them": ("provider.bundle", "provider.deb.verify"),
    "has signatures checked by provider.openpgp, which imports gnupg at its first use": (
        *("provider.keys", "provider.lapsed", "provider.deb.signature"),
        *("provider.deb.index", "provider.deb.metadata", "provider.rpm.index", "provider.rpm.metadata"),
    ),
    "gives libsolv its input as files, in memory": (
        *("provider.rpm.packages", "provider.rpm.pool", "provider.rpm.solve", "provider.rpm.specs"),
    ),
    "makes an image file": (
        *(
            "image.boot.esp_image",
            "image.fs.making",
            "image.compression",
            "image.disk.raw",
            "image.formats",
            "image.fs.fat",
            "image.fs.inodes",
        ),
        *(f"image.fs.{name}" for name in ("btrfs", "erofs", "ext", "squashfs", "swap", "xfs")),
    ),
    "unpacks the artefact to boot": ("boottest.artefact",),
    "reads the key and the certificate that sign": ("image.signing.keys", "image.signing.token"),
    "writes what is to be signed elsewhere, and reads what comes back": ("image.signing.request",),
    "looks at the machine that an image is installed on, and says what is done": (
        *("installer.disks", "installer.log", "installer.marker", "installer.network"),
        *("installer.screen", "installer.tree"),
    ),
    "runs a stage that starts no program": ("runs.disk", "runs.evidence"),
    "is a stage, or plans stages: their hand-overs are files": (
        *(f"stages.{name}" for name in ("archive", "boot", "chroot", "collect", "convert", "disk", "download")),
        *(f"stages.{name}" for name in ("evidence", "fs", "img", "initrd", "iso", "live", "metadata", "payload")),
        *(f"stages.{name}" for name in ("rootfs", "sign", "solve", "system", "verify", "verity")),
        *("plan", *(f"plan.{name}" for name in ("artefacts", "boot", "evidence", "iso", "medium", "packages"))),
        *(f"plan.{name}" for name in ("raw", "signing", "tree", "wsl")),
    ),
    "writes to a terminal": (
        *("bars", "boottest.console", "boottest.session", "progress", "provider.rpm.mirrors", "tasks.output"),
        *("tasks.answers", "tasks.display", "tasks.screen", "tasks.summary"),
    ),
}
"""Modules that read or write files, themselves or through what they import, and leave the process in no way."""
REACHES_WORLD: dict[str, tuple[str, ...]] = {
    "starts programs": ("process.pipes", "process.run", "boottest.vm", "boottest.boot", "boottest.installing"),
    "forks, and calls the kernel": ("process.child", "process.syscalls", "tasks.workers"),
    "downloads": ("ospackage.answers", "ospackage.http", "ospackage.local", "ospackage.transport"),
    "mounts, enters namespaces, and starts programs in them": (
        *("chroot.creation", "chroot.namespace", "chroot.overlay", "chroot.proc", "chroot.resolver"),
        *(
            "chroot.sandbox",
            "chroot.seccomp",
            "chroot.toolbox",
            "image.fs.largest",
            "image.tree.bootable",
            "image.tree.part",
            "image.tree.views",
        ),
    ),
    "runs programs of the image or of the build environment": (
        *(
            "image.boot.grub.bios",
            "image.boot.grub.efi",
            "image.boot.loader_entries",
            "image.boot.systemd_boot",
            "image.medium.iso",
            "image.tree.commands",
            "image.tree.reading",
        ),
    ),
    "checks signatures with gpg": ("provider.openpgp", "provider.rpm.verify"),
    "installs packages": (
        *("provider.deb.family", "provider.deb.install", "provider.deb.unpack"),
        *("provider.rpm.family", "provider.rpm.hold", "provider.rpm.install", "provider.rpm.keybox"),
        *("provider.rpm.temporary_file", "provider.rpm.unpack"),
    ),
    "runs a stage": (
        *(
            "runs.archive",
            "runs.boot",
            "runs.chroot",
            "runs.collect",
            "runs.convert",
            "runs.download",
            "runs.fs",
            "runs.img",
            "runs.initrd",
            "runs.iso",
            "runs.live",
            "runs.metadata",
        ),
        *(
            "runs.payload",
            "runs.rootfs",
            "runs.sign",
            "runs.solve",
            "runs.system",
            "runs.verify",
            "runs.verity",
        ),
    ),
    "installs an image onto a disk": (
        *("installer.__main__", "installer.accounts", "installer.blocks", "installer.boot_entry", "installer.checks"),
        *("installer.contents", "installer.door", "installer.ending", "installer.grow", "installer.install"),
        *("installer.mounts", "installer.personal", "installer.sources", "installer.state", "installer.table"),
        "installer.writing",
    ),
    "builds an image twice and compares": (
        *("reproduce.builds", "reproduce.compare", "reproduce.trees", "reproduce.twice"),
    ),
    "runs the stages as tasks": (
        *(
            "tasks.booting",
            "tasks.command_line",
            "tasks.listing",
            "tasks.interrupts",
            "tasks.main",
            "tasks.prune",
            "tasks.reporter",
        ),
        *("tasks.usage", "tasks.verify_cache"),
    ),
}
"""Modules that start programs, call the kernel or use the network, themselves or through what they import."""

INSTALLER = "oic.installer"
"""The program of the installation medium: copied into another system, so it imports nothing of the rest."""
SUBPROCESS = {
    "oic.process.run": "the one door",
    "oic.process.pipes": "the streams of what it starts",
    "oic.installer.door": "the door of the installer, which runs in another system",
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
            origin = str(statement.module)
            if statement.level:
                assert module.startswith(f"{INSTALLER}."), f"{module}: relative import"
                assert statement.level == 1, f"{module}: import from beyond the package"
                origin = f"{INSTALLER}.{statement.module}" if statement.module else INSTALLER
            if statement.module == "pathlib" and all(alias.name.startswith("Pure") for alias in statement.names):
                continue
            names = {f"{origin}.{alias.name}" for alias in statement.names}
            found |= {name for name in names if name in MODULES} or {origin}
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
    assert "subprocess" in reached_from("oic.runs.chroot")
    assert "socket" in imports_of("oic.ospackage.transport")


def calls_on_files(module: str) -> set[str]:
    """Return what a module calls to touch files whose paths it is given; to read an open file is not one of them."""
    calls = [node for node in ast.walk(tree_of(module)) if isinstance(node, ast.Call)]
    names = {
        getattr(call.func, "attr", getattr(call.func, "id", ""))
        for call in calls
        if "fileobj" not in {keyword.arg for keyword in call.keywords}
    }
    return names & FILE_METHODS


def kind_of(module: str) -> str:
    """Return ``world``, ``disk`` or ``pure``: the most that a module does itself or when it is imported."""
    reached = reached_from(module).keys() | imports_of(module)
    if reached & WORLD:
        return "world"
    return "disk" if reached & DISK or calls_on_files(module) else "pure"


@pytest.mark.parametrize(("kind", "listed"), [("disk", TOUCHES_DISK), ("world", REACHES_WORLD)])
def test_every_module_is_pure_unless_it_is_listed_with_a_reason(kind: str, listed: dict[str, tuple[str, ...]]) -> None:
    names = sorted(f"oic.{name}" for modules in listed.values() for name in modules)
    found = sorted(module for module in MODULES if kind_of(module) == kind)
    assert [name for name in found if name not in names] == []  # impure: make it pure, or list it with the reason
    assert [name for name in names if name not in found] == []  # of another kind now: take it off this list
    assert names == found  # each of them once


def test_the_installer_imports_the_standard_library_alone() -> None:
    """And relatively, so that its package may have another name where it runs."""
    own = {module for module in MODULES if module.startswith(f"{INSTALLER}.")}
    assert own
    for module in own:
        assert imports_of(module) - own <= sys.stdlib_module_names, module
        assert not [line for line in MODULES[module].read_text("utf-8").splitlines() if "import oic" in line], module
    others = {module for module in MODULES if imports_of(module) & own} - own
    assert others == {"oic.config.iso"}, "which reads a recipe's answers as the installer will"


def test_listing_tasks_loads_nothing_of_the_network() -> None:
    """requests and what it imports take longer than all the rest of a start."""
    reached = reached_from("oic.tasks.command_line")
    assert {"requests", "urllib3", "networkx", "jsonschema"}.isdisjoint(reached)
    assert [name for name in reached if name.startswith("oic.runs.")] == [], "it runs no stage either"


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
    """Its modules only know what touches files: what is held here is that planning touches none."""
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
        *(PROJECT / "oic/runs").glob("*.py"),
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
