# ruff: noqa: INP001  the folders of tests are packages, it is none itself
"""What a test run that was killed leaves in the directory for temporary files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

KILLED = """import os
def test(tmp_path):
    (tmp_path / "image").touch()
    os.kill(os.getpid(), 9)
"""
LOOKING = """import subprocess, sys
def test(tmp_path):
    assert subprocess.run([sys.executable, "-m", "pytest", "-q", "test_quick.py"]).returncode == 0
    assert tmp_path.exists(), "this run is not over"
"""


def test_the_next_run_removes_it_and_lets_be_what_another_run_uses(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    tests = {"killed": KILLED, "looking": LOOKING, "quick": "def test(): pass\n"}
    for name, text in tests.items():
        (tmp_path / f"test_{name}.py").write_text(text)
    (tmp_path / "temporary").mkdir()

    def run(name: str) -> int:
        environment = {**os.environ, "PYTEST_DEBUG_TEMPROOT": str(tmp_path / "temporary")}
        argv = [sys.executable, "-m", "pytest", "-q", f"test_{name}.py"]
        return subprocess.run(argv, cwd=tmp_path, env=environment, check=False).returncode

    assert run("killed") == -9
    assert list(tmp_path.glob("temporary/*/*/*/image")), "it leaves its files"
    assert run("looking") == 0
    assert not list(tmp_path.glob("temporary/*/*/*/image"))
