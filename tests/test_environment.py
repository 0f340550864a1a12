# ruff: noqa: INP001  the folders of tests are packages, it is none itself
"""The environment that ``make`` sets up: whole after a run that was killed, and of what the locks say."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-test.lock", "requirements-fuzz.lock", ".ci/lock.txt")
METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
BACKEND = """import shutil
def build_editable(folder, config_settings=None, metadata_directory=None):
    shutil.copy("wheels/project-1.0-py3-none-any.whl", folder)
    return "project-1.0-py3-none-any.whl"
"""
PYPROJECT = """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def locked(name: str) -> dict[str, tuple[str, list[str]]]:
    """Return the version and the hashes of each package of a lock."""
    found = {}
    for block in re.split(r"^(?=[a-z0-9])", (PROJECT / name).read_text(), flags=re.MULTILINE)[1:]:
        package, version = re.findall(r"\A([a-z0-9-]+)==([^ ;\n]+)", block)[0]
        assert package not in found, f"{package}: one version for all Pythons"
        found[package] = (version, re.findall(r"--hash=sha256:([0-9a-f]{64})\b", block))
    return found


def required() -> dict[str, list[Requirement]]:
    """Return what each lock has to answer."""
    project: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    build = [*project["project"]["dependencies"], *project["build-system"]["requires"], *groups["build"]]
    extras = project["project"]["optional-dependencies"]
    wanted = (build, [*build, *extras["test"]], [*build, *extras["fuzz"]], groups["lock"])
    return {name: [Requirement(text) for text in texts] for name, texts in zip(LOCKS, wanted, strict=True)}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_answers_pyproject(name: str) -> None:
    versions = {package: version for package, (version, _) in locked(name).items()}
    missing = [
        str(wanted)
        for wanted in required()[name]
        if not wanted.specifier.contains(versions.get(canonicalize_name(wanted.name), "0"))
    ]
    assert missing == [], "make lock"


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_packages_and_hashes_and_no_place_to_get_them_from(name: str) -> None:
    assert [package for package, (_, hashes) in locked(name).items() if not hashes] == []
    lines = [line.strip() for line in (PROJECT / name).read_text().splitlines() if not line.lstrip().startswith("#")]
    other = [
        line for line in lines if not re.fullmatch(r"[a-z0-9-]+==\S+( ; [^/\\]+)? \\|--hash=sha256:\w{64}( \\)?", line)
    ]
    assert other == []


@pytest.mark.parametrize("name", ["requirements-test.lock", "requirements-fuzz.lock"])
def test_tests_run_on_the_versions_that_builds_run_on(name: str) -> None:
    assert locked("requirements.lock").items() <= locked(name).items()


def wheel(folder: Path, name: str) -> str:
    """Write a wheel of one module; return its line of a lock."""
    folder.mkdir(exist_ok=True)
    about = f"{name}-1.0.dist-info"
    # the metadata first: a pip that is killed leaves a package that looks installed
    files = {f"{about}/METADATA": METADATA.format(name=name), f"{about}/WHEEL": WHEEL, f"{name}.py": "there = True\n"}
    digests = {path: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()) for path, text in files.items()}
    record = [f"{path},sha256={digest.decode().rstrip('=')},{len(files[path])}" for path, digest in digests.items()]
    file = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in {**files, f"{about}/RECORD": "\n".join([*record, f"{about}/RECORD,,\n"])}.items():
            archive.writestr(path, text)
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a project with this one's Makefile, whose packages are files beside it."""
    shutil.copy(PROJECT / "Makefile", tmp_path)
    shutil.copytree(PROJECT / ".ci", tmp_path / ".ci")
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "backend.py").write_text(BACKEND)
    wheel(tmp_path / "wheels", "project")
    lock = wheel(tmp_path / "wheels", "needed")
    (tmp_path / "requirements.lock").write_text(lock)
    (tmp_path / "requirements-test.lock").write_text(lock + wheel(tmp_path / "wheels", "tool"))
    return tmp_path


def make(clone: Path, kind: str = "build") -> subprocess.CompletedProcess[str]:
    own = {
        "PATH": os.environ["PATH"],
        "HOME": str(clone),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(clone / "wheels"),
    }
    argv = ["make", f".venv/{kind}.stamp", f"PYTHON={sys.executable}"]
    return subprocess.run(argv, cwd=clone, env=own, capture_output=True, text=True, check=False)


def imports(clone: Path, *names: str) -> bool:
    argv = [str(clone / ".venv/bin/python"), "-c", f"import {', '.join(names)}"]
    return subprocess.run(argv, cwd=clone / "wheels", capture_output=True, check=False).returncode == 0


def site_packages(clone: Path) -> Path:
    return next(clone.glob(".venv/lib/python*/site-packages"))


def test_an_environment_that_was_left_half_made_is_made_anew(clone: Path) -> None:
    (clone / ".venv/bin").mkdir(parents=True)
    assert make(clone).returncode == 0, "of a venv that made directories only"
    assert imports(clone, "needed", "project")
    (site_packages(clone) / "needed.py").unlink()  # its metadata stays
    (site_packages(clone) / "pip/__main__.py").unlink()
    (clone / ".venv/build.stamp").unlink()
    assert make(clone).returncode == 0, "of a pip that was killed"
    assert imports(clone, "needed", "project")


def test_the_tests_tools_are_added_and_a_new_lock_replaces_all(clone: Path) -> None:
    make(clone)
    kept = clone / ".venv/kept"
    kept.touch()
    assert make(clone, "test").returncode == 0
    assert imports(clone, "needed", "project", "tool")
    assert kept.exists()
    (clone / "requirements.lock").touch()
    assert make(clone).returncode == 0
    assert imports(clone, "needed", "project")
    assert not imports(clone, "tool")
    assert not kept.exists()


def test_a_file_with_another_hash_is_refused(clone: Path) -> None:
    lock = clone / "requirements.lock"
    lock.write_text(re.sub(r"sha256:\w+", f"sha256:{'0' * 64}", lock.read_text()))
    assert make(clone).returncode != 0
    assert not imports(clone, "needed")
    assert not (clone / ".venv/build.stamp").exists()


def test_a_directory_that_is_no_environment_is_left_alone(clone: Path) -> None:
    (clone / ".venv").mkdir()
    (clone / ".venv/thesis.tex").touch()
    refused = make(clone)
    assert refused.returncode != 0
    assert ".venv: expected a virtual environment or nothing, found other files" in refused.stderr
    assert (clone / ".venv/thesis.tex").exists()
