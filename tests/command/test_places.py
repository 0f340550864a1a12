"""Where the cache is: by the command line, the settings file, the clone, the user's directories, in this order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from oic.errors import OicError
from oic.tasks.places import cache_directory, clone_around

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return home


def set_cache(home: Path, text: str) -> None:
    file = home / ".config/oic/settings.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_elsewhere_it_is_the_user_s(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_directory(None, tmp_path, None) == home / ".cache/oic"
    assert (home / ".cache/oic").stat().st_mode & 0o777 == 0o700
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "big"))
    assert cache_directory(None, tmp_path, None) == tmp_path / "big/oic"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_directory(None, tmp_path, None) == home / ".cache/oic"


def test_in_a_clone_it_is_the_clone_s(home: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    (clone / "oic/tasks").mkdir(parents=True)
    (clone / "dodo.py").touch()
    assert clone_around(clone / "oic") is None
    (clone / "oic/tasks/places.py").touch()
    assert clone_around(clone / "oic") == clone
    assert clone_around(home) is None
    assert cache_directory(None, clone / "oic", clone) == clone / "cache"


def test_the_settings_file_names_another_one(home: Path, tmp_path: Path) -> None:
    set_cache(home, 'cache = "~/other"')
    assert cache_directory(None, tmp_path, tmp_path) == home / "other"
    set_cache(home, f'cache = "{tmp_path}/third"')
    assert cache_directory(None, tmp_path, None) == tmp_path / "third"
    set_cache(home, "# nothing yet")
    assert cache_directory(None, tmp_path, None) == home / ".cache/oic"


def test_the_command_line_has_the_last_word(home: Path, tmp_path: Path) -> None:
    set_cache(home, 'cache = "/nowhere"')
    assert cache_directory("mine", tmp_path, None) == tmp_path / "mine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cache = 3", "expected a directory such as"),
        ("cach = 'x'", "expected the settings cache, ca, proxy, workers, log_level and no other, found cach"),
        ("= 3", "expected TOML such as"),
        ('cache = ""', "expected a directory such as"),
        ("workers = 0", "expected a number from 1 to 256"),
        ("workers = true", "expected a number from 1 to 256"),
        ('proxy = "proxy:3128"', "expected an http(s) URL such as"),
        ("ca = 1", "expected a file such as"),
    ],
)
def test_a_settings_file_that_says_something_else(text: str, message: str, home: Path, tmp_path: Path) -> None:
    set_cache(home, text)
    with pytest.raises(OicError) as raised:
        cache_directory(None, tmp_path, None)
    assert str(raised.value).startswith(f"{home}/.config/oic/settings.toml: {message}")


def test_an_empty_cache_word_is_refused(home: Path, tmp_path: Path) -> None:
    assert home
    with pytest.raises(OicError, match="found cache= and nothing"):
        cache_directory("", tmp_path, None)


def test_a_cache_that_cannot_be_made(home: Path, tmp_path: Path) -> None:
    (home / "file").touch()
    with pytest.raises(OicError, match=r"cannot be made the cache: .*say cache=DIRECTORY"):
        cache_directory(str(home / "file/cache"), tmp_path, None)
