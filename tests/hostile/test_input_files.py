"""Files of this machine that a recipe, which may be somebody else's, has put into an image."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import pytest
from config.conftest import complain, load  # noqa: F401 - fixtures

from oic.chroot import namespace
from oic.errors import OicError
from oic.files import copy_and_hash, open_regular
from oic.image.tree import additional
from oic.image.tree.additional import PlacedFile
from oic.plan import plan
from oic.process import child
from oic.values import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.conftest import Complain, Load
    from e2e.bench import Bench

    from oic.config.model import AdditionalFile


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def body(local: object, more: str = "") -> str:
    return f"systemConfig: {{additionalFiles: [{{local: '{local}', final: /etc/canary{more}}}]}}\n"


def loaded(load: Load, local: object, more: str = "") -> AdditionalFile:  # noqa: F811
    return load(body(local, more)).system.files[-1]


@pytest.mark.parametrize(
    "name", ["/proc/self/environ", "/proc/kmsg", "/proc/self/root/proc/version", "/sys/kernel/uevent_seqnum"]
)
def test_what_the_kernel_makes_up_is_refused_when_the_recipe_is_read(name: str, complain: Complain) -> None:  # noqa: F811
    problems = complain(body(name))
    assert len(problems) == 1
    assert "systemConfig.additionalFiles[0].local: expected a file that is yours, found one of /" in problems[0]


def test_a_link_to_such_a_file_is_refused_as_well(complain: Complain, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "innocent").symlink_to("/proc/self/environ")
    assert "found one of /proc" in complain(body("innocent"))[0]


def test_opening_a_pipe_does_not_block(complain: Complain, tmp_path: Path) -> None:  # noqa: F811
    os.mkfifo(tmp_path / "pipe")
    assert "expected a file or directory, found the device, pipe or socket" in complain(body("pipe"))[0]
    with pytest.raises(OSError, match="not a regular file"):
        open_regular(tmp_path / "pipe")


def test_a_file_is_read_as_far_as_it_says_it_is_long() -> None:
    with open_regular("/proc/self/environ") as file, pytest.raises(OSError, match="length differs from its size"):
        copy_and_hash(file)


@pytest.mark.parametrize(
    ("local", "recipe", "mode"),
    [
        (0o644, 0o644, 0o644),
        (0o755, 0o644, 0o755),
        (0o600, 0o644, 0o600),
        (0o640, 0o644, 0o640),
        (0o700, 0o644, 0o700),
        (0o750, 0o755, 0o750),
        (0o600, 0o600, 0o644),
        (0o700, 0o600, 0o755),
        (0o640, 0o640, 0o644),
        (0o664, 0o664, 0o644),
        (0o4755, 0o644, 0o755),
        (0o400, 0o644, 0o600),
    ],
)
def test_the_mode_of_a_file_without_one(local: int, recipe: int, mode: int, load: Load, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "key").write_text("secret")
    (tmp_path / "key").chmod(local)
    (tmp_path / "small.yml").touch()
    (tmp_path / "small.yml").chmod(recipe)
    assert oct(loaded(load, "key").mode) == oct(mode)


def test_a_checkout_under_another_umask_makes_the_same_image(load: Load, tmp_path: Path) -> None:  # noqa: F811
    """Each umask's own files, as git writes them: the execute bit and nothing else of a mode."""
    slices = []
    for mask in (0o022, 0o002, 0o077, 0o027):
        os.umask(mask)
        for path in (tmp_path / "small.yml", tmp_path / "text", tmp_path / "script"):
            path.unlink(missing_ok=True)
            path.touch(0o777 if path.name == "script" else 0o666)
        modes = [loaded(load, name).mode for name in ("text", "script")]
        slices.append(modes)
    assert slices == [[0o644, 0o755]] * 4


@pytest.mark.parametrize(("text", "mode"), [("0600", 0o600), ("640", 0o640), ("04755", 0o4755), ("'0444'", 0o444)])
def test_a_mode_that_is_given_is_the_mode(text: str, mode: int, load: Load, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "key").write_text("secret")
    found = loaded(load, "key", f", mode: {text}, owner: 'root:7'")
    assert (found.mode, found.owner) == (mode, "root:7")


@pytest.mark.parametrize(
    "more", ["mode: 0999", "mode: rwx", "mode: 07", "owner: ../x", "owner: 'a:'", "owner: 'a:b:c'"]
)
def test_an_invalid_mode_or_owner_is_refused(more: str, complain: Complain, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "key").write_text("secret")
    assert "systemConfig.additionalFiles[0]." in complain(body("key", f", {more}"))[0]


def test_what_lies_outside_the_recipe_s_directory_is_said_and_recorded(load: Load, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "canary").write_text("secret")
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/link").symlink_to("../canary")
    (tmp_path / "recipes/inside").write_text("fine")
    for local, outside in (("../canary", True), ("link", True), (tmp_path / "canary", True), ("inside", False)):
        config = load(body(local), name="recipes/small.yml")
        note = f"{tmp_path}/canary goes into the image, from outside the recipe's directory"
        assert [one for one in config.notes if one.endswith(note)] == list(config.notes[:1] * outside)
        evidence = plan(config, tmp_path / "cache")[-1].slice
        assert evidence.outside_files == ("/etc/canary",) * outside


def test_a_build_says_it(bench: Bench) -> None:
    (bench.place / "canary").write_text("secret")
    (bench.place / "recipes").mkdir()
    bench.write()
    text = bench.recipe.read_text() + "\n" + body(bench.place / "canary")
    (bench.place / "recipes/small.yml").write_text(text)
    said = "goes into the image, from outside the recipe's directory"
    assert said in bench.oic("build", "image=recipes/small.yml").said
    assert said in bench.oic("validate", "image=recipes/small.yml").said


def tree(place: Path) -> Path:
    (place / "root/etc").mkdir(parents=True)
    (place / "root/etc/passwd").write_text(
        "root:x:0:0::/root:/bin/sh\nedge:x:1000:1001::/:/bin/sh\nbad:x:9x:1::/:/bin/sh\n"
    )
    (place / "root/etc/group").write_text("root:x:0:\nshadow:x:42:\n")
    return place / "root"


SECRET = Digest(hashlib.sha256(b"secret").hexdigest())


def put(root: Path, local: Path, **more: Any) -> os.stat_result:
    """Put a file into a tree as the stage does; return what it is there."""
    file = PlacedFile(**{"final": "/etc/x/canary", "sha256": SECRET, "mode": 0o644, "owner": "", **more})
    return namespace.call(_put, root, file, local, writes=[root.parent])


def _put(root: Path, file: PlacedFile, local: Path) -> os.stat_result:
    with additional.opened([file], {file.final: local}) as opened:
        child.inside(root, additional.write, opened)
    return (root / "etc/x/canary").stat()


@pytest.mark.parametrize(
    ("owner", "ids"),
    [("", (0, 0)), ("edge", (1000, 1001)), ("edge:shadow", (1000, 42)), ("7:8", (7, 8)), ("1000", (1000, 1001))],
)
def test_the_owner_is_the_image_s(owner: str, ids: tuple[int, int], tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret")
    root = tree(tmp_path)
    status = put(root, tmp_path / "key", owner=owner, mode=0o4640)
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (*ids, 0o4640)
    assert (root / "etc/x/canary").read_text() == "secret"


@pytest.mark.parametrize("owner", ["nobody", "edge:wheel", "bad", "77"])
def test_an_owner_that_the_image_does_not_have(owner: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret")
    with pytest.raises(OicError, match="expected an owner that the image has"):
        put(tree(tmp_path), tmp_path / "key", owner=owner)


def test_a_file_that_changed_since_it_was_looked_at(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("canary")
    with pytest.raises(OicError, match="the file changed while the build ran"):
        put(tree(tmp_path), tmp_path / "key")


def _put_exchanged(root: Path, file: PlacedFile, local: Path, other: Path) -> bytes:
    with additional.opened([file], {file.final: local}) as opened:
        other.replace(local)
        child.inside(root, additional.write, opened)
    return (root / "etc/x/canary").read_bytes()


def test_a_file_that_is_exchanged_between_check_and_use(tmp_path: Path) -> None:
    """What was opened is what is hashed and written, whatever has its name by then."""
    (tmp_path / "key").write_text("secret")
    (tmp_path / "other").write_text("canary")
    file = PlacedFile(final="/etc/x/canary", mode=0o644, owner="", sha256=SECRET)
    places = (tmp_path / "key", tmp_path / "other")
    assert namespace.call(_put_exchanged, tree(tmp_path), file, *places, writes=[tmp_path]) == b"secret"


def test_a_file_that_was_removed_is_reported(tmp_path: Path) -> None:
    with pytest.raises(OicError, match="expected a file, found No such file or directory"):
        put(tree(tmp_path), tmp_path / "key")
