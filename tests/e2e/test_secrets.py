"""A plain password is in the recipe and nowhere else: not in the cache, not in what is printed, not in any argv."""

from __future__ import annotations

import base64
import subprocess
import sys
from typing import TYPE_CHECKING

from .bench import PROJECT

if TYPE_CHECKING:
    from .bench import Bench
    from .tiny import Tiny

PASSWORD = "a-plain-secret"
RECIPE = f"systemConfig: {{users: [{{name: admin, password: {PASSWORD}}}, {{name: other, password: '${{secret}}'}}]}}"
WATCHED = """
import os, sys
def watch(event, args):
    if event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"):
        with open(os.environ["NOTED"], "a") as file:
            file.write(f"{event} {args!r}\\n")
sys.addaudithook(watch)
from doit.__main__ import main
main()
"""
"""doit that notes every program it starts."""


def test_a_password_goes_nowhere_in_plain(bench: Bench) -> None:
    bench.write(RECIPE)
    bench.environment = {"OIC_VAR_secret": PASSWORD, "NOTED": str(bench.place / "argv")}
    # rootfs fails, as nothing of the tiny distribution can be installed: that writes a log
    commands = ("rootfs", "config", "validate", "lock", "info system:small", "list --all --status", "why package=hello")
    said = {command: bench.oic(*command.split(), program=WATCHED) for command in commands}
    assert [one.status for one in said.values()] == [1, 0, 0, 0, 1, 0, 0], said
    assert PASSWORD not in str(said)
    assert "password: <redacted>" in said["config"].said
    files = [file for file in bench.place.rglob("*") if file.is_file() and file != bench.recipe]
    assert {"argv", "doit.db", "lock.json", "rootfs.log", "small.lock.json"} <= {file.name for file in files}
    assert [file for file in files if PASSWORD.encode() in file.read_bytes()] == []
    assert "gpg" in (bench.place / "argv").read_text(), "programs were noted"


def test_a_mirrors_password_is_kept_in_netrc(bench: Bench, tiny: Tiny) -> None:
    bench.write(mirror=tiny.url.replace("http://", f"http://me:{PASSWORD}@"))
    said = bench.oic("solve")
    said.refused_in_one_line("target.mirror: expected a URL without user and password", "~/.netrc")
    assert PASSWORD not in said.said
    (bench.place / "netrc").write_text(f"machine 127.0.0.1 login me password {PASSWORD}\n")
    bench.environment["NETRC"] = str(bench.place / "netrc")
    bench.write()
    bench.oic("download").succeeded()
    basic = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    assert {request.headers.get("authorization") for request in tiny.mirror.requests} == {f"Basic {basic}"}
    files = {file: file.read_bytes() for file in bench.cache.rglob("*") if file.is_file()}
    assert [file for file, data in files.items() if PASSWORD.encode() in data or basic.encode() in data] == []


def test_the_same_password_gives_another_hash_to_another_user(bench: Bench) -> None:
    """What a stage that gets users has of them, is a hash."""
    script = (
        "import sys; from pathlib import Path; from oic.config.final import load_config; from oic.plan import plan; "
        "from oic.values import to_json; "
        "config = load_config(Path(sys.argv[1]), {'secret': sys.argv[2]}); "
        "print(*(to_json(stage.slice) for stage in plan(config, Path('/c'))))"
    )
    bench.write(RECIPE)
    argv = [sys.executable, "-c", script, str(bench.recipe), PASSWORD]
    done = subprocess.run(argv, cwd=PROJECT, env=bench.variables(), capture_output=True, text=True, check=True)
    assert PASSWORD not in done.stdout
    hashes = [line.split('"')[3] for line in done.stdout.splitlines() if '"password"' in line]
    assert len(set(hashes)) == len(hashes) == 2
    assert all(one.startswith("$6$") for one in hashes)
