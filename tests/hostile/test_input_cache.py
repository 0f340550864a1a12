"""A cache is its owner's alone: who else may read it, put something into it, or change what is in it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from config.conftest import HEAD
from e2e.bench import PROJECT, Bench, Ran

from oic.chroot import creation
from oic.chroot.tree import Filled
from oic.errors import OicError
from oic.files import write_text
from oic.tasks import claim
from oic.values import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

USERS = ("oic-cache-one", "oic-cache-two")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be other users")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_cache_is_made_for_its_owner_alone(bench: Bench) -> None:
    bench.oic("list").succeeded()
    assert mode_of(bench.cache) == 0o700


def test_the_cache_of_a_fresh_clone_is_closed(bench: Bench) -> None:
    bench.cache.mkdir(mode=0o755)
    (bench.cache / ".gitkeep").touch()
    listed = bench.oic("list")
    listed.succeeded()
    assert "note:" not in listed.said
    assert mode_of(bench.cache) == 0o700


def test_a_cache_that_was_open_is_closed_and_that_is_said_once(bench: Bench) -> None:
    bench.oic("download").succeeded()
    bench.cache.chmod(0o755)
    bench.oic("list").succeeded(f"note: {bench.cache} was open to other users (mode 755), it is closed now (700)\n")
    assert mode_of(bench.cache) == 0o700
    assert "note:" not in bench.oic("list").said
    bench.cache.chmod(0o777)
    bench.oic("list").succeeded("they could write to it: doit verify-cache looks at what is in it")


def test_a_directory_that_is_more_than_a_cache_is_not_closed(bench: Bench) -> None:
    bench.cache.mkdir(mode=0o755)
    (bench.cache / "letters").touch()
    bench.oic("list").refused_in_one_line(f"{bench.cache}: expected a directory for the cache alone", "cache=DIRECTORY")
    assert mode_of(bench.cache) == 0o755
    (bench.cache / "letters").unlink()
    (bench.cache / "doit.db").touch()
    bench.cache.chmod(0o1777)
    bench.oic("list").refused_in_one_line("expected a directory for the cache alone")
    assert mode_of(bench.cache) == 0o1777


def test_trees_of_recipes_are_not_used_from_a_cache_that_others_could_write_to(bench: Bench, tmp_path: Path) -> None:
    bench.oic("list").succeeded()
    assert list((bench.cache / "validated").glob("*.json"))
    bench.cache.chmod(0o777)
    (bench.cache / "validated" / "theirs.json").write_text("planted")
    bench.oic("list").succeeded("they could write to it")
    assert not (bench.cache / "validated" / "theirs.json").exists()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.json").touch()
    shutil.rmtree(bench.cache / "validated")
    (bench.cache / "validated").symlink_to(mine)
    bench.cache.chmod(0o777)
    bench.oic("list").refused_in_one_line(
        f"{bench.cache / 'validated'}: expected a place of the cache that is your own"
    )
    assert (mine / "letter.json").exists()


@pytest.mark.parametrize("name", ["store", "layers", "validated", "small"])
def test_a_link_in_a_place_of_the_cache(name: str, bench: Bench, tmp_path: Path) -> None:
    bench.cache.mkdir(mode=0o700)
    (tmp_path / "theirs").mkdir()
    (bench.cache / name).symlink_to(tmp_path / "theirs")
    expected = f"{bench.cache / name}: expected a place of the cache that is your own, found a link"
    bench.oic("build").refused_in_one_line(expected)
    assert list((tmp_path / "theirs").iterdir()) == []


@AS_ROOT
@pytest.mark.parametrize("name", ["store", "layers", "small"])
def test_a_place_of_the_cache_that_is_another_s(name: str, bench: Bench) -> None:
    bench.cache.mkdir(mode=0o700)
    (bench.cache / name).mkdir()
    os.chown(bench.cache / name, 65534, 65534)
    bench.oic("build").refused_in_one_line(f"{bench.cache / name}: expected a place", "found one of user id 65534")
    os.chown(bench.cache / name, 0, 0)
    (bench.cache / name).chmod(0o777)
    bench.oic("build").refused_in_one_line("found one that everybody may write to")


def test_files_have_the_mode_that_the_umask_gives(tmp_path: Path) -> None:
    for mask, mode in ((0o022, 0o644), (0o077, 0o600), (0o002, 0o664)):
        os.umask(mask)
        write_text(tmp_path / f"{mask}", "text")
        assert mode_of(tmp_path / f"{mask}") == mode


@pytest.fixture
def homes() -> Iterator[dict[str, Path]]:
    """Return a readable home for each of two users, who are there for this test."""
    place = Path(tempfile.mkdtemp(prefix="oic-homes-"))
    place.chmod(0o755)
    try:
        for user in USERS:
            subprocess.run(["userdel", "--force", user], check=False, capture_output=True)  # of a killed test
            subprocess.run(["useradd", "--no-create-home", "--home-dir", str(place / user), user], check=True)
            (place / user).mkdir(mode=0o755)
            shutil.chown(place / user, user, user)
        yield {user: place / user for user in USERS}
    finally:
        for user in USERS:
            subprocess.run(["userdel", "--force", user], check=False, capture_output=True)
        shutil.rmtree(place)


def _as(user: str, *argv: str, **variables: str) -> Ran:
    changed = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"]
    done = subprocess.run(
        [*changed, *argv], cwd="/", env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    return Ran(status=done.returncode, said=done.stdout + done.stderr)


def _doit(user: str, recipe: Path, cache: Path) -> Ran:
    """Run doit as a user, by the host's own Python: the one that runs this may be in root's home."""
    ours, python = sys.version_info[:2], Path("/usr/bin/python3")
    if not python.exists() or python.resolve().name != f"python{ours[0]}.{ours[1]}":
        pytest.skip(f"the host's own Python is not {ours[0]}.{ours[1]}: install python3")
    words = ["-m", "doit", "-f", str(PROJECT / "dodo.py"), "validate", f"image={recipe}", f"cache={cache}"]
    ran = _as(user, str(python), *words, PYTHONPATH=f"{PROJECT}:{sysconfig.get_path('purelib')}", HOME="/nonexistent")
    if "No module named" in ran.said:
        pytest.skip(f"the sources are not readable for other users: {ran.said}")
    return ran


@AS_ROOT
def test_two_users_of_one_machine_cannot_read_each_other_s_caches(homes: dict[str, Path]) -> None:
    for user, home in homes.items():
        (home / "small.yml").write_text(HEAD)
        _doit(user, home / "small.yml", home / "cache").succeeded("a valid recipe")
        place = home / "cache/layers/some/tree"
        command = f"mkdir -p {place}; cd {place}; echo hash >shadow; cp /bin/true .; chmod 4755 true"
        _as(user, "sh", "-c", command).succeeded()
    for user, other in (USERS, USERS[::-1]):
        there = homes[other] / "cache"
        for command in (f"cat {there}/layers/some/tree/shadow", f"{there}/layers/some/tree/true", f"ls {there}"):
            assert "Permission denied" in _as(user, "sh", "-c", command).said, command
            _as(other, "sh", "-c", command).succeeded()
        refused = _doit(user, homes[user] / "small.yml", there)
        refused.refused_in_one_line("the cache belongs to user id", "cache=DIRECTORY")


def _layer(part: Path) -> Filled:
    (part / "tree/etc").mkdir()
    (part / "tree/etc/file").write_text("content")
    return Filled(epoch=1)


def test_a_cache_as_it_should_be(bench: Bench) -> None:
    bench.oic("download").succeeded()
    creation.get_or_create(bench.cache, digest_of("a layer"), _layer)
    blobs = len(list(bench.cache.glob("store/sha256/*/*")))
    expected = f"{bench.cache}: {blobs} blobs and 1 layers, all as their digests say"
    bench.oic("verify-cache").succeeded(expected)
    argv = [sys.executable, "-m", "doit", "-f", str(PROJECT / "dodo.py"), "verify-cache", f"cache={bench.cache}"]
    done = subprocess.run(argv, cwd=bench.place, capture_output=True, text=True, check=False)
    assert expected in done.stdout, "no image is needed"


def test_a_blob_that_was_changed_is_moved_away_and_fetched_anew(bench: Bench) -> None:
    bench.oic("download").succeeded()
    blob = next(path for path in bench.cache.glob("store/sha256/*/*") if path.stat().st_size > 500)
    good = blob.read_bytes()
    blob.chmod(0o644)
    blob.write_bytes(b"x" + good[1:])
    ran = bench.oic("verify-cache")
    ran.refused(f"{blob}: expected sha256 {blob.name}, found ", f"{bench.cache / 'damaged'} now")
    assert ran.status == 1
    assert (bench.cache / f"damaged/{blob.name}.0").read_bytes()[:1] == b"x"
    bench.oic("verify-cache").succeeded("all as their digests say")
    bench.oic("download").succeeded()
    bench.oic("verify").succeeded("all good")
    assert blob.read_bytes() == good


def _change(root: Path, what: str) -> None:
    if what == "content":
        (root / "tree/etc/file").write_text("another")
    elif what == "mode":
        (root / "tree/etc/file").chmod(0o4755)
    else:
        facts = (root / "layer.json").read_text()
        (root / "layer.json").write_text(facts.replace('"digest": "', '"digest": "0'))


@pytest.mark.parametrize("what", ["content", "mode", "name"])
def test_a_layer_that_was_changed_is_moved_away_and_made_anew(what: str, bench: Bench) -> None:
    bench.oic("list").succeeded()
    layer = creation.get_or_create(bench.cache, digest_of("a layer"), _layer)
    write_text(bench.image / "system.json", f'{{"layers": ["layers/{layer.place.name}"]}}')
    _change(layer.place, what)
    ran = bench.oic("verify-cache")
    ran.refused(f"{layer.place}: expected the digest {layer.digest[:32]}", f"small made of it: delete {bench.image}")
    assert not layer.place.exists()
    assert creation.get_or_create(bench.cache, digest_of("a layer"), _layer) == layer
    bench.oic("verify-cache").succeeded("1 layers")


def test_only_directories_that_are_one_s_own_are_claimed(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "small").symlink_to("theirs")
    with pytest.raises(OicError, match="found a link"):
        claim.prepare(tmp_path / "small")


@pytest.mark.parametrize("name", ["damaged", "layers", "store", "validated"])
def test_an_image_is_not_called_as_a_place_of_the_cache(name: str, bench: Bench) -> None:
    bench.recipe.rename(bench.place / f"{name}.yml")
    bench.oic("list", f"image={name}.yml").refused_in_one_line(f"the cache has a directory '{name}' already")
