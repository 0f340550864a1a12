"""The scriptlets are those in docs/standin.md, and only one package has macros that rpmbuild did not expand."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from .fixtures import Standin, standin

__all__ = ["standin"]

pytestmark = pytest.mark.mirror

PAGE = Path(__file__).parents[2] / "docs/standin.md"

PHASES = {
    "%pretrans": "PRETRANS",
    "%pre": "PREIN",
    "%post": "POSTIN",
    "%preun": "PREUN",
    "%postun": "POSTUN",
    "%posttrans": "POSTTRANS",
}
TRIGGERS = {"%trigger": "TRIGGER", "%filetrigger": "FILETRIGGER", "%transfiletrigger": "TRANSFILETRIGGER"}
"""The keywords of a spec file, and the beginning of rpm's tags for them; for triggers, the type follows."""

MACRO = re.compile(r"%(?:[a-z_][a-z0-9_]{2,}|\{)")
ROW = re.compile(r"^\| `([\w-]+)` \| .+? \| ((?:`%\w+` ?)+) \|$", re.MULTILINE)


ON_PURPOSE = {("kpatch", "%post", "%systemd_post"), ("kpatch", "%preun", "%systemd_preun")}
"""A package like some real ones: built where the macros were not defined."""

Scriptlets = dict[str, list[tuple[str, str]]]
"""The scriptlets of each package: phase and text, which is empty if an interpreter runs without a script."""


@pytest.fixture(scope="module")
def scriptlets(standin: Standin) -> dict[str, Scriptlets]:
    return {name: scriptlets_below(folder) for name, folder in standin.folders.items()}


def scriptlets_below(folder: Path) -> Scriptlets:
    """Return the scriptlets of the packages of a repository, as rpm reads them."""
    form = "\x01%{NAME}"
    for word, tag in PHASES.items():
        form += f"%|{tag}PROG?{{\x02%{word}\x03%|{tag}?{{%{{{tag}}}}}:{{}}|}}:{{}}|"
    for word, tag in TRIGGERS.items():
        form += f"[\x02%{word}%{{{tag}TYPE}}\x03%{{{tag}SCRIPTS}}]"
    argv = ["rpm", "-qp", "--nosignature", "--queryformat", form, *map(str, sorted(folder.rglob("*.rpm")))]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    found: Scriptlets = {}
    for package in said.split("\x01")[1:]:
        name, *bodies = package.split("\x02")
        found[name] = [(phase, text) for phase, _, text in (body.partition("\x03") for body in bodies)]
    return found


def documented() -> dict[str, set[str]]:
    """Return the phases in the table of the page, by package."""
    return {name: set(re.findall(r"%\w+", phases)) for name, phases in ROW.findall(PAGE.read_text())}


@pytest.mark.parametrize("distribution", ["azl3", "emt3"])
def test_no_macro_is_left_unexpanded_in_a_scriptlet(distribution: str, scriptlets: dict[str, Scriptlets]) -> None:
    left = {
        (name, phase, macro)
        for name, bodies in scriptlets[distribution].items()
        for phase, text in bodies
        for macro in MACRO.findall(text)
    }
    assert left == ON_PURPOSE
    assert sum(len(bodies) for bodies in scriptlets[distribution].values()) > 80


@pytest.mark.parametrize("distribution", ["azl3", "emt3"])
def test_the_scriptlets_are_those_in_the_table_of_the_page(
    distribution: str, scriptlets: dict[str, Scriptlets]
) -> None:
    found = {name: {phase for phase, _ in bodies} for name, bodies in scriptlets[distribution].items()}
    missing = {name for name in documented() if name not in found}
    assert missing == ({"edge-repos-shared"} if distribution == "azl3" else {"azurelinux-repos-shared"})
    assert {name: found[name] for name in documented() if name in found} == {
        name: phases for name, phases in documented().items() if name in found
    }


@pytest.mark.parametrize("distribution", ["azl3", "emt3"])
def test_units_are_preset_as_the_macro_of_systemd_255_does(
    distribution: str, scriptlets: dict[str, Scriptlets]
) -> None:
    (text,) = (text for phase, text in scriptlets[distribution]["cronie"] if phase == "%post")
    assert "systemd-update-helper install-system-units crond.service || :" in text


@pytest.mark.parametrize(
    ("distribution", "version", "other"),
    [
        ("azl3", "6.6.134.1-2.azl3", "kernel-hwe-6.12.57.1-3.azl3"),
        ("emt3", "6.12.23-1.emt3", "kernel-rt-6.12.46-1.emt3"),
    ],
)
def test_the_kernels_have_the_versions_of_the_distribution(
    distribution: str, version: str, other: str, standin: Standin
) -> None:
    names = {file.name.removesuffix(".x86_64.rpm") for file in standin.folders[distribution].rglob("kernel*.rpm")}
    assert names == {f"kernel-{version}", f"kernel-drivers-gpu-{version}", other}
