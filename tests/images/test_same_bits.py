"""Same lock, same recipe → same bits: root's build and an ordinary user's, in another place, at another time."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import PROJECT
from .ordinary_user import ordinary_user

if TYPE_CHECKING:
    import pwd
    from collections.abc import Callable, Iterator

    from .conftest import Built

pytestmark = pytest.mark.mirror

USER = "oic-same-bits"


@pytest.fixture(scope="module")
def user() -> Iterator[pwd.struct_passwd]:
    if os.geteuid() != 0:
        pytest.skip("making a user needs root")
    with ordinary_user(USER) as made:
        yield made


@pytest.fixture(scope="module")
def checkout(user: pwd.struct_passwd) -> Path:
    """Give the user the project as a fresh clone would, and the environment that make sets up."""
    place = Path(user.pw_dir) / "elsewhere" / "oic"
    names = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        if (PROJECT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, place / name)
    subprocess.run(["chown", "-R", f"{USER}:", user.pw_dir], check=True)
    return place


def as_user(checkout: Path, command: str, **variables: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    environment |= {"TZ": "Asia/Tokyo", "LANG": "tr_TR.UTF-8", "LC_ALL": "", "HOME": str(checkout.parents[1])}
    environment |= variables
    environment["PATH"] = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    done = subprocess.run(
        ["bash", "-c", f"umask 077; cd {checkout} && {command}"],
        user=USER,
        group=USER,
        extra_groups=[],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "name",
    [
        "edge",
        "azl3-minimal",
        pytest.param("minimal", marks=pytest.mark.slow),
        pytest.param("debian13-minimal", marks=pytest.mark.slow),
        pytest.param("azl3-edge", marks=pytest.mark.slow),
        pytest.param("emt3-minimal", marks=pytest.mark.slow),
        pytest.param("emt3-edge", marks=pytest.mark.slow),
        pytest.param("elxr12-minimal", marks=pytest.mark.slow),
        pytest.param("elxr12-edge", marks=pytest.mark.slow),
        *(pytest.param(f"debian12-{word}", marks=pytest.mark.slow) for word in ("entries", "mbr", "wsl", "bios-iso")),
    ],
)
def test_root_and_a_user_make_the_same_bits(built: Callable[[str], Built], checkout: Path, name: str) -> None:
    image = built(name)
    variables = {}
    for file in (image.recipe, image.recipe.with_name(f"{name}.lock.json")):
        _given(file, checkout / "recipes" / file.name)
    if image.mirror:
        variables["OIC_CA"] = str(_given(image.mirror.ca, checkout.with_name("ca.crt")))
    said = as_user(checkout, f"make build PYTHON=/usr/bin/python3 image={name}.yml", **variables)
    (file,) = image.json(f"{name}-1.0.0.manifest.json")["files"]
    wanted = file["sha256"]
    assert said.splitlines()[-1].endswith(f"sha256:{wanted}")
    made = checkout / "cache" / name / file["name"]
    assert subprocess.run(["sha256sum", made], capture_output=True, text=True, check=True).stdout.split()[0] == wanted
    subprocess.run(["rm", "-rf", checkout / "cache" / name], check=True)  # gigabytes, of each image


@pytest.mark.slow
def test_a_user_is_told_what_is_not_the_same_twice_and_can_remove_both_builds(checkout: Path) -> None:
    command = "configurations: [{cmd: cat /proc/sys/kernel/random/uuid > /etc/drawn}]"
    recipe = checkout / "recipes/twice.yml"
    target = "target: {os: debian, dist: debian12, arch: x86_64, imageType: raw}"
    recipe.write_text(f"image: {{name: twice, version: 1.0.0}}\n{target}\nsystemConfig: {{{command}}}\n")
    shutil.chown(recipe, USER, USER)
    doit = ".venv/bin/doit"
    said = as_user(
        checkout, f"make .venv/build.stamp PYTHON=/usr/bin/python3; {doit} reproduce image=twice.yml 2>&1 || true"
    )
    assert "reproduce:twice failed: 1 thing differs" in said
    assert "\n/etc/drawn: a UUID; made by a setting or a command of the recipe\n" in said
    assert len([*(checkout / "cache/twice/reproduce").glob("*/layers")]) == 2
    as_user(checkout, f"{doit} clean reproduce:twice image=twice.yml")
    assert not (checkout / "cache/twice/reproduce").exists()
    subprocess.run(["rm", "-rf", checkout / "cache/twice"], check=True)


def _given(file: Path, place: Path) -> Path:
    shutil.copy(file, place)
    shutil.chown(place, USER, USER)
    return place
