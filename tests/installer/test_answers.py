from __future__ import annotations

import base64
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oic.installer.answers import MAX_BYTES, Answers, Interface, User, read_answers, words_of
from oic.installer.errors import InstallError

if TYPE_CHECKING:
    from pathlib import Path

HASH = f"$6$salt${'a' * 86}"
KEY_TYPE = b"ssh-ed25519"
KEY_DATA = len(KEY_TYPE).to_bytes(4, "big") + KEY_TYPE + (32).to_bytes(4, "big") + bytes(range(32))
KEY = f"ssh-ed25519 {base64.b64encode(KEY_DATA).decode()}"

WHOLE = f"""\
# where it goes
disk.strategy = largest
disk.exclude-removable = no
disk.require-empty=false

hostname = edge-7.example.org
user.root.password = {HASH}
user.ada.ssh-key = {KEY} ada@one
user.ada.ssh-key = {KEY} ada@two
network.eth0 = 192.0.2.10/24
network.eth0.gateway = 192.0.2.1
network.eth0.dns = 192.0.2.2, 2001:db8::1
network.eth0.10 = dhcp
reboot = poweroff
"""


def mistakes_of(*files: str, command_line: str = "") -> list[str]:
    with pytest.raises(InstallError) as caught:
        read_answers([(f"answers-{at}", text.encode()) for at, text in enumerate(files, 1)], command_line)
    return caught.value.message.splitlines()[1:]


def test_every_key_of_a_file_is_read() -> None:
    assert read_answers([("answers", WHOLE.encode())]) == Answers(
        strategy="largest",
        exclude_removable=False,
        require_empty=False,
        hostname="edge-7.example.org",
        users=(User(name="ada", keys=(f"{KEY} ada@one", f"{KEY} ada@two")), User(name="root", password=HASH)),
        interfaces=(
            Interface(name="eth0", address="192.0.2.10/24", gateway="192.0.2.1", dns=("192.0.2.2", "2001:db8::1")),
            Interface(name="eth0.10", address="dhcp"),
        ),
        reboot="poweroff",
    )


def test_no_answers_leave_all_as_it_is() -> None:
    assert read_answers([], "quiet console=ttyS0 oic.mode=install") == Answers()
    assert not read_answers([]).changes_system


def test_a_file_of_another_system_is_read_as_well() -> None:
    assert read_answers([("a", b"\xef\xbb\xbfhostname = one\r\ndisk = /dev/sda\r\n")]) == Answers(
        hostname="one", disk="/dev/sda"
    )


def test_the_later_source_wins() -> None:
    first = b"hostname = one\ndisk = /dev/sda\nuser.ada.ssh-key = %s first\n" % KEY.encode()
    second = b"hostname = two\nuser.ada.ssh-key = %s second\n" % KEY.encode()
    got = read_answers([("a", first), ("b", second)], "ro oic.hostname=three")
    assert got == Answers(hostname="three", disk="/dev/sda", users=(User(name="ada", keys=(f"{KEY} second",)),))


@pytest.mark.parametrize(
    ("first", "then", "wanted"),
    [
        ("disk = /dev/sda", "oic.disk.strategy=first", Answers(strategy="first")),
        ("disk.strategy = first", "oic.disk=/dev/disk/by-id/x", Answers(disk="/dev/disk/by-id/x")),
    ],
)
def test_a_path_and_a_strategy_replace_each_other(first: str, then: str, wanted: Answers) -> None:
    assert read_answers([("a", first.encode())], then) == wanted


def test_a_word_of_the_command_line_has_spaces_in_quotes() -> None:
    line = f'ro oic.user.ada.ssh-key="{KEY} ada at home" "oic.hostname=one" root=x\n'
    assert words_of(line) == ["ro", f"oic.user.ada.ssh-key={KEY} ada at home", "oic.hostname=one", "root=x"]
    assert read_answers([], line).users == (User(name="ada", keys=(f"{KEY} ada at home",)),)


def test_all_mistakes_are_said_at_once_each_with_its_line() -> None:
    text = """\
dsik = /dev/sda
disk = sda
disk.strategy = biggest
disk.exclude-removable = maybe
hostname = -edge_7
user.ada.password = secret
user.ada.ssh-key = ssh-rsa secret
user.ada.pasword = x
network.eth0 = 192.0.2.10
network.eth0.gatway = 192.0.2.1
network.eth1.dns = nine
just words
reboot =
hostname = edge
"""
    assert mistakes_of(text, command_line="oic.reboot=never oic.dsk=/dev/sda") == [
        "answers-1:12: expected 'key = value', found no '='",
        "answers-1:1: expected a known key, found 'dsik'; did you mean 'disk'?",
        "answers-1:2: expected a path such as /dev/sda or /dev/disk/by-id/NAME, found 'sda'",
        "answers-1:3: expected one of first, largest, fastest, found 'biggest'",
        "answers-1:4: expected one of true, false, yes, no, found 'maybe'",
        "answers-1:5: expected a host name of letters, digits, '-' and '.', at most 64, found '-edge_7'",
        "answers-1:6: expected a whole crypt hash, as 'openssl passwd -6' prints it, found something else (not shown)",
        "answers-1:7: expected a public key such as 'ssh-ed25519 AAAA… name', found something else (not shown)",
        "answers-1:8: expected a known key, found 'user.ada.pasword'; did you mean 'user.ada.password'?",
        "answers-1:9: expected 'dhcp' or an address with its prefix length such as 192.0.2.10/24, found '192.0.2.10'",
        "answers-1:10: expected a known key, found 'network.eth0.gatway'; did you mean 'network.eth0.gateway'?",
        "answers-1:11: expected addresses such as 192.0.2.1, found 'nine'",
        "answers-1:13: expected a value of reboot, found none",
        "answers-1:14: expected hostname once, found it at answers-1:5 as well",
        "answers-1:3: expected either disk or disk.strategy, found both",
        "kernel command line, oic.reboot: expected one of reboot, poweroff, shell, found 'never'",
        "kernel command line, oic.dsk: expected a known key, found 'dsk'; did you mean 'disk'?",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("network.eth0 = dhcp\nnetwork.eth0.gateway = 192.0.2.1", "expected no gateway where DHCP gives one"),
        ("network.eth0 = 192.0.2.9/24\nnetwork.eth0.gateway = 198.51.100.1", "expected a gateway in 192.0.2.0/24"),
        ("network.eth0 = 192.0.2.9/24\nnetwork.eth0.gateway = 2001:db8::1", "expected a gateway in 192.0.2.0/24"),
        ("network.eth0 = 192.0.2.9/255.255.255.0", "expected 'dhcp' or an address"),
        ("network.eth0 = fe80::1%eth0/64", "expected 'dhcp' or an address"),
        ("network.eth0 = 192.0.2.9/33", "expected 'dhcp' or an address"),
        ("network.eth0.gateway = 192.0.2.1", "expected network.eth0 as well"),
        ("network.a-name-of-20-letters = dhcp", "expected an interface's name"),
        ("network... = dhcp", "expected an interface's name"),
        ("network = dhcp", "expected a known key"),
        ("user.password = x", "expected a known key"),
        ("user.../etc.password = x", "expected a user's name"),
        ("disk = /dev/../etc/passwd", "expected a path such as /dev/sda"),
        ("disk = /dev/sda one", "expected a path such as /dev/sda"),
        (f"hostname = {'a' * 65}", "expected a host name"),
        (f"hostname = {'a' * 64}", "expected a host name"),
        ("hostname = a..b", "expected a host name"),
        ("disk", "expected 'key = value'"),
        ("= /dev/sda", "expected a known key"),
        (f"user.a.password = {HASH}:0:0", "expected a whole crypt hash"),
        (f"user.a.password = {HASH[:-1]}", "expected a whole crypt hash"),
    ],
)
def test_a_mistake_is_refused(text: str, found: str) -> None:
    (line,) = mistakes_of(text)
    assert f": {found}" in line


def test_what_may_be_a_password_is_not_shown() -> None:
    for key in ("user.ada.password", "user.ada.ssh-key"):
        assert "hunter2" not in "".join(mistakes_of(f"{key} = hunter2"))


def test_bytes_that_are_no_text_are_refused_with_their_line() -> None:
    with pytest.raises(InstallError, match="a:2: expected text in UTF-8, found other bytes"):
        read_answers([("a", b"# one\n\xff\xfe\n")])


def test_a_large_file_is_not_read() -> None:
    with pytest.raises(InstallError, match=f"a: expected at most {MAX_BYTES} bytes, found more"):
        read_answers([("a", b"#" * (MAX_BYTES + 1))])


KEYS = (
    "disk",
    "disk.strategy",
    "hostname",
    "user.a.password",
    "user.a.ssh-key",
    "network.e0",
    "network.e0.dns",
    "x",
    "",
)


@given(
    st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(("=", " = ", "")), st.text(max_size=20)), max_size=6),
    st.text(max_size=60),
    st.binary(max_size=60),
)
def test_whatever_is_answered_has_answers_or_mistakes(
    lines: list[tuple[str, str, str]], command_line: str, data: bytes
) -> None:
    text = "\n".join("".join(line) for line in lines).encode("utf-8", "surrogatepass")
    said = "a mistake, in words"
    try:
        read_answers([("a", text), ("b", data)], f"oic.{command_line} oic.network.e0.gateway={command_line}")
    except InstallError as error:
        said = str(error)
    assert said.replace("\n", "").isprintable()


def test_a_control_character_does_not_reach_the_console() -> None:
    with pytest.raises(InstallError) as caught:
        read_answers([("a", b"hostname = a\x1b[2Jb")])
    assert "\x1b" not in str(caught.value)
    assert r"\x1b" in str(caught.value)


@pytest.mark.parametrize("option", ["-1", "-5", "-6"])
def test_a_hash_that_openssl_prints_is_taken(option: str) -> None:
    done = subprocess.run(["openssl", "passwd", option, "hunter2"], capture_output=True, text=True, check=True)
    text = f"user.ada.password = {done.stdout}".encode()
    assert read_answers([("a", text)]).users == (User(name="ada", password=done.stdout.strip()),)


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_key_that_openssh_makes_is_taken(kind: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f'ssh-keygen -q -t {kind} -N "" -C "ada at home" -f {tmp_path}/key && cat {tmp_path}/key.pub'],
        capture_output=True,
        text=True,
        check=True,
    )
    (user,) = read_answers([("a", f"user.ada.ssh-key = {done.stdout}".encode())]).users
    assert user.keys == (done.stdout.strip(),)
