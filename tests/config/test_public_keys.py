"""Public keys as ssh-keygen writes them, and what is left of one that was cut, changed or mixed up."""

from __future__ import annotations

import base64

import pytest

from oic.config.public_keys import key_problem

KEYS = {
    "ssh-ed25519": ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF9PueMC/i2ayLZfFCNHV1FmrM0yhKSl9BbiVJMX+Xgp me"),
    "ssh-rsa": (
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDjsAvt4EiSxWVeBoFs7vy7uqY9w5bDvvqfhpAws68x0hy8Es5QILNEe4CP"
        "pRZZYOJTM7B9+G7TN3nHk7R8j8pB8e5jMa0lEYRZ0eW4+d22lNzCi9iQ8HQp08YB4w5/qDmgdCzZ6nLUfgshWGCrP/dadoM0"
        "QXAvFWDZXyku/W/TWQ== me"
    ),
    "ecdsa-sha2-nistp256": (
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBJIUEmgZUiaqyWMa2I/Rwypv"
        "ksC1wyZh2iDMZ/y1GTtw9sTtiTLNJeVRz4U8yf1LvM478cKWCK18g7HUxpy5Img= me"
    ),
}


def blob(*strings: bytes) -> str:
    return base64.b64encode(b"".join(len(one).to_bytes(4) + one for one in strings)).decode()


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_is_taken_with_options_and_with_or_without_a_comment(kind: str) -> None:
    key = KEYS[kind]
    for line in (key, key.removesuffix(" me"), f'command="ls -l",no-pty {key}', f"{key} of the second  desk"):
        assert key_problem(line) == "", line


def test_a_key_of_a_token_is_taken() -> None:
    token = "sk-ssh-ed25519@openssh.com"
    assert key_problem(f"{token} {blob(token.encode(), b'k' * 32, b'ssh:')}") == ""


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("cut", [1, 4, 17, 30])
def test_a_key_that_was_cut_is_none(kind: str, cut: int) -> None:
    name, text, _ = KEYS[kind].split(" ")
    assert key_problem(f"{name} {text[:-cut]}") == f"expected a whole {name} key, found one that was cut or changed"


def test_a_key_under_another_kind_s_name_is_none() -> None:
    text = KEYS["ssh-rsa"].split(" ")[1]
    wanted = "expected a key of the kind that stands before it, ssh-ed25519, found one of ssh-rsa"
    assert key_problem(f"ssh-ed25519 {text} me") == wanted


@pytest.mark.parametrize(
    "text", [blob(b"ssh-ed25519"), blob(b"ssh-ed25519", b""), blob(b"ssh-ed25519", b"k" * 31), "AAAA", "AA=A", "===="]
)
def test_what_is_no_ed25519_key_is_refused(text: str) -> None:
    assert key_problem(f"ssh-ed25519 {text} me").startswith("expected a ")


@pytest.mark.parametrize("kind", ["ssh-ed25591", "ssh-ed25519-cert-v01@openssh.com", "ecdsa-sha2"])
def test_another_kind_is_refused_by_name(kind: str) -> None:
    said = key_problem(f"{kind} {KEYS['ssh-rsa'].split(' ')[1]}")
    assert said.startswith("expected a key of the kind ssh-ed25519, ssh-rsa, ")
    assert said.endswith(f", found {kind}")
