"""Password hashes, held against OpenSSL's and libcrypt's own."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from oic.config.crypt import hashed, is_whole_hash

from .users import USER

if TYPE_CHECKING:
    from oic.config.model import User


def user(password: str, algorithm: str = "") -> User:
    return replace(USER, password=password, hash_algo=algorithm)


@pytest.mark.parametrize(("algorithm", "option"), [("", "-6"), ("sha512", "-6"), ("sha256", "-5"), ("md5", "-1")])
def test_openssl_makes_the_same_hash(algorithm: str, option: str) -> None:
    found = hashed(user("pässword 1!", algorithm), "seed").replace("$rounds=5000", "")
    salt = found.split("$")[2]
    argv = ["openssl", "passwd", option, "-salt", salt, "-stdin"]
    said = subprocess.run(argv, input="pässword 1!", capture_output=True, text=True, check=True).stdout.strip()
    assert found == said


def test_bcrypt_is_checked_by_perls_libcrypt() -> None:
    found = hashed(user("secret", "bcrypt"), "seed")
    argv = ["perl", "-e", "print crypt($ARGV[0], $ARGV[1])", "secret", found]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout == found


def test_the_same_recipe_gives_the_same_hash_and_another_image_another_salt() -> None:
    assert hashed(user("secret"), "one") == hashed(user("secret"), "one")
    assert hashed(user("secret"), "one").split("$")[2] != hashed(user("secret"), "two").split("$")[2]


def test_the_salt_gives_nothing_of_the_password_away() -> None:
    assert hashed(user("secret"), "seed").split("$")[2] == hashed(user("other"), "seed").split("$")[2]


@pytest.mark.parametrize("password", ["", "$6$salt$hash"])
def test_a_hash_and_no_password_stay_what_they_are(password: str) -> None:
    assert hashed(user(password), "seed") == password


WHOLE = ["-6", "-5", "-1"]


@pytest.mark.parametrize("option", WHOLE)
def test_the_form_of_a_hash_tells_a_whole_one_from_one_that_was_cut(option: str) -> None:
    argv = ["openssl", "passwd", option, "-salt", "salt", "secret"]
    whole = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    assert is_whole_hash(whole)
    for broken in (whole[:-1], f"{whole}x", whole.rpartition("$")[0], f"{whole[:-1]}!", f"{whole[:3]}short"):
        assert not is_whole_hash(broken)


def test_hashes_with_rounds_of_bcrypt_and_of_yescrypt_are_whole() -> None:
    assert is_whole_hash(hashed(user("secret"), "seed"))
    bcrypt = hashed(user("secret", "bcrypt"), "seed")
    assert is_whole_hash(bcrypt)
    assert not is_whole_hash(bcrypt[:-1])
    argv = ["perl", "-e", "print crypt($ARGV[0], $ARGV[1])", "secret", "$y$j9T$F5Jx5fExrKuPp53xLKQ..1"]
    yescrypt = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert yescrypt.startswith("$y$j9T$")
    assert is_whole_hash(yescrypt)
    assert not is_whole_hash(yescrypt[:-1])
    assert is_whole_hash("$sha1$whatever")
