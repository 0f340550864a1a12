"""What an image's repository files say: read back by dnf, and byte for byte where nothing is to change."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from oic.ospackage.lock import LockedRepository
from oic.provider.rpm.sources import sources

BASE = "[edge-base]\nname=Edge Base\nbaseurl=https://e.invalid/base\nenabled=1\ngpgcheck=1\n"
NEXT = "[edge-next]\nname=Edge Next\nbaseurl=https://e.invalid/next\nENABLED\npriority=11\n"
OTHER = "[debug]\nname=Debug\nbaseurl=https://e.invalid/debug\nenabled=0\n"
KEYS = {"edge-base": "/etc/key", "edge-next": ""}
SCRIPT = """import sys, json, dnf
base = dnf.Base()
base.conf.reposdir = [sys.argv[1]]
base.conf.substitutions.update(releasever="3.0", basearch="x86_64")
base.read_all_repos()
print(json.dumps({repo.id: [repo.enabled, repo.repo_gpgcheck, list(repo.baseurl)] for repo in base.repos.all()}))
"""


def _locked(name: str, *, signed: bool = True) -> LockedRepository:
    signers = ("F" * 40,) if signed else ()
    return LockedRepository(
        name=name, url=f"https://m.invalid/{name}", suite="", components=(), signers=signers, keys=(), trusted=False
    )


def _tree(root: Path, **files: str) -> Path:
    (root / "etc/yum.repos.d").mkdir(parents=True)
    for name, text in files.items():
        (root / f"etc/yum.repos.d/{name}.repo").write_text(text)
    return root


def _dnf_says(root: Path, files: dict[str, str]) -> dict[str, tuple[bool, bool, str]]:
    """Write the files into the tree; return of each repository whether it is on, signed, and where, as dnf reads it."""
    if not (found := shutil.which("dnf")):
        pytest.skip("needs dnf (apt-get install dnf)")
    for name, text in files.items():
        (root / name[1:]).write_text(text, errors="surrogateescape")
    python = Path(found).resolve().read_text().splitlines()[0].removeprefix("#!").split()
    argv = [*python, "-c", SCRIPT, str(root / "etc/yum.repos.d")]
    said = json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)
    return {name: (on, signed, *urls) for name, (on, signed, urls) in said.items()}


@pytest.mark.parametrize(
    "word",
    [
        "enabled=1",
        "enabled = True",
        "enabled=",
        "enabled=0 # not yet",
        "ENABLED=0",
        "",
        "enabled=0\nenabled=1",
        "enabled=on\r",
    ],
)
def test_another_repository_of_the_distribution_is_disabled(word: str, tmp_path: Path) -> None:
    root = _tree(tmp_path, edge=NEXT.replace("ENABLED", word) + BASE + OTHER)
    before = (root / "etc/yum.repos.d/edge.repo").read_text()
    files = sources(root, [_locked("edge-base")], KEYS)
    assert list(files) == ["/etc/yum.repos.d/edge.repo"]
    said = _dnf_says(root, files)
    assert {name: on for name, (on, *_) in said.items()} == {"edge-next": False, "edge-base": True, "debug": False}
    assert said["edge-base"][2] == "https://e.invalid/base", "all else is as the package has it"
    changed = files["/etc/yum.repos.d/edge.repo"]
    assert [line for line in changed.splitlines() if "enabled" not in line.lower()] == [
        line for line in before.splitlines() if "enabled" not in line.lower()
    ]


@pytest.mark.parametrize("word", ["enabled=0", "enabled=false", "enabled = off"])
def test_a_repository_of_the_build_is_enabled(word: str, tmp_path: Path) -> None:
    root = _tree(tmp_path, next=NEXT.replace("ENABLED", word), base=BASE)
    files = sources(root, [_locked("edge-base"), _locked("edge-next")], {**KEYS, "edge-next": "/etc/key"})
    assert list(files) == ["/etc/yum.repos.d/next.repo"]
    assert {name: on for name, (on, *_) in _dnf_says(root, files).items()} == {"edge-next": True, "edge-base": True}


def test_a_file_that_is_right_is_not_changed(tmp_path: Path) -> None:
    root = _tree(tmp_path, next=NEXT.replace("ENABLED", "enabled=0"), base=BASE.replace("enabled=1\n", ""), other=OTHER)
    assert sources(root, [_locked("edge-base")], KEYS) == {}


def test_a_repository_without_a_file_gets_one(tmp_path: Path) -> None:
    root = _tree(tmp_path, other=OTHER)
    files = sources(
        root, [_locked("one"), _locked("two", signed=False)], {"one": "/etc/key", "two": "https://k.invalid/k"}
    )
    assert list(files) == ["/etc/yum.repos.d/image.repo"]
    said = _dnf_says(root, files)
    assert said["one"] == (True, True, "https://m.invalid/one")
    assert said["two"] == (True, False, "https://m.invalid/two"), "nobody signs its metadata"


def test_only_regular_files_are_read_and_their_bytes_stay(tmp_path: Path) -> None:
    root = _tree(tmp_path)
    folder = root / "etc/yum.repos.d"
    (folder / "edge.repo").write_bytes(NEXT.replace("ENABLED", "enabled=1").replace("Next", "N\xe9").encode("latin-1"))
    (folder / "link.repo").symlink_to("edge.repo")
    (folder / "folder.repo").mkdir()
    files = sources(root, [_locked("edge-base")], {"edge-next": ""})
    assert list(files) == ["/etc/yum.repos.d/edge.repo"]
    assert files["/etc/yum.repos.d/edge.repo"].encode("utf-8", "surrogateescape").count(b"N\xe9") == 1


def test_with_no_key_for_any_the_image_knows_none_of_them(tmp_path: Path) -> None:
    root = _tree(tmp_path, edge=BASE + NEXT.replace("ENABLED", "enabled=1"), other=OTHER.replace("=0", "=1"))
    said = _dnf_says(root, sources(root, [_locked("edge-base")], dict.fromkeys(KEYS, "")))
    assert {name: on for name, (on, _, _) in said.items()} == {"edge-base": False, "edge-next": False, "debug": True}
