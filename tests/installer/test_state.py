"""Answers for a root that is only read, written where the image's own program for its initramfs mounts them from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from oic.image.tree import state

PROJECT = Path(__file__).parents[2]
INSTALL = """
import sys
from pathlib import Path
from oic.installer.answers import Answers, User
from oic.installer.mounts import mount_state
from oic.installer.payload import Partition, State
from oic.installer.personal import personalise
root = Path(sys.argv[1])
data = Partition(id="data", number=1, start=0, size=0, type="ext4", at="/opt", grows=True, boots=False, image=None)
for at in mount_state(root, State(partition=data, directories=("/var", "/home", "/srv"))):
    print(at.relative_to(root))
personalise(root, Answers(hostname="edge-7", users=(User(name="ada", keys=("ssh-ed25519 AAAA ada",)),)))
"""
READ = "cat etc/hostname home/ada/.ssh/authorized_keys var/kept; ls etc home srv/web; stat -c %a opt/.state"


def run_alone(script: str, *arguments: str | Path) -> str:
    """Run a script of sh as root of namespaces of its own: its mounts end with it."""
    argv = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-euc", script, "sh", *map(str, arguments)]
    done = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_the_answers_change_is_there_when_the_system_boots_and_its_root_is_as_it_was(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name, text in {
        "etc/hostname": "image\n",
        "etc/passwd": "ada:x:0:0::/home/ada:/bin/sh\n",
        "home/ada/note": "",
        "var/kept": "kept\n",
        "var/srv/web/index": "",
        "opt/.keep": "",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "srv").symlink_to("var/srv")
    outside = [path for path in root.rglob("*") if path.is_file() and root / "opt" not in path.parents]
    before = {path: path.read_bytes() for path in outside}

    said = run_alone(f'{sys.executable} -c "$1" "$2"', INSTALL, root)
    assert said.split() == ["var", "home", "etc"]
    assert {path: path.read_bytes() for path in outside} == before
    assert not (root / "home/ada/.ssh").exists()

    own = state.State(
        part_uuid="1", at="/opt", type="ext4", options="", directories=("/var", "/home", "/srv"), drivers=()
    )
    lines = state.program_text(own).replace("root=/sysroot", f"root={root}").splitlines()
    program = "\n".join(line for line in lines if not line.startswith("mount -t ext4"))  # here /opt is a directory
    said = run_alone(f'{program}\ncd "{root}"\n{READ}')
    assert said.split() == [
        *("edge-7", "ssh-ed25519", "AAAA", "ada", "kept"),
        *("etc:", "hostname", "passwd", "home:", "ada", "srv/web:", "index", "700"),
    ]
