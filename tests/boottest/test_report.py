"""What a machine prints, read; the oracles are the programs that print it, run on this host."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oic.boottest.failure import BootError
from oic.boottest.report import (
    MAX_LISTED,
    package_differences,
    parse_failed_units,
    parse_host_keys,
    parse_mounts,
    parse_os_release,
    parse_packages,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = st.dictionaries(st.sampled_from("abcdefg"), st.sampled_from(["1", "2"]))


def test_os_release_reads_as_the_standard_library_reads_it() -> None:
    ours = parse_os_release(Path("/etc/os-release").read_text(encoding="utf-8"))
    theirs = platform.freedesktop_os_release()
    assert {"ID_LIKE": "", **ours} == {"ID_LIKE": "", **theirs}  # which it makes up when there is none


def test_mounts_read_as_findmnt_reads_them() -> None:
    mounts = parse_mounts(Path("/proc/self/mounts").read_text(encoding="utf-8"))
    printed = subprocess.run(
        ["findmnt", "--json", "--list", "--output=TARGET,FSTYPE"], capture_output=True, text=True, check=True
    )
    theirs = {(entry["target"], entry["fstype"]) for entry in json.loads(printed.stdout)["filesystems"]}
    assert {(mount.target, mount.fs_type) for mount in mounts} <= theirs
    assert "/" in {mount.target for mount in mounts}


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
def test_fingerprints_are_those_of_ssh_keygen(tmp_path: Path, kind: str) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not on this host: apt-get install openssh-client")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "root@host", "-f", str(key)], check=True)
    printed = subprocess.run(["ssh-keygen", "-l", "-f", str(key)], capture_output=True, text=True, check=True).stdout
    assert list(parse_host_keys(key.with_suffix(".pub").read_text()).values()) == [printed.split()[1]]


def test_an_image_without_host_keys_has_none() -> None:
    assert parse_host_keys("cat: '/etc/ssh/ssh_host_*_key.pub': No such file or directory") == {}


def test_packages_read_as_dpkg_counts_them() -> None:
    form = "${binary:Package}\\t${Version}\\t${db:Status-Abbrev}\\n"
    printed = subprocess.run(["dpkg-query", "-W", f"-f={form}"], capture_output=True, text=True, check=True).stdout
    installed, broken = parse_packages(printed)
    assert len(installed) + len(broken) == sum(not line.endswith(("\trc ", "\tun ")) for line in printed.splitlines())
    bash = subprocess.run(["dpkg-query", "-W", "-f=${Version}", "bash"], capture_output=True, text=True, check=True)
    assert installed["bash"] == bash.stdout


def test_a_package_that_is_not_configured_is_not_installed() -> None:
    listing = "good\t1\tii \nhalf\t2\tiU \ntriggers\t3\tiW \ngone\t4\trc \nnever\t\tun \nheld\t5\thi \nerror\t6\tiFR\n"
    assert parse_packages(listing) == ({"good": "1", "held": "5"}, ("half (iU)", "triggers (iW)", "error (iFR)"))


def test_packages_without_a_state_are_installed() -> None:
    assert parse_packages("bash\t5.2-1.azl3\n") == ({"bash": "5.2-1.azl3"}, ())


@given(NAMES)
def test_equal_sets_do_not_differ_whatever_the_architecture_says(packages: dict[str, str]) -> None:
    with_architecture = {f"{name}:amd64": version for name, version in packages.items()}
    assert package_differences(packages, packages) == ()
    assert package_differences(packages, with_architecture) == ()
    assert package_differences(with_architecture, packages) == ()


@given(NAMES, NAMES)
def test_different_sets_differ_in_both_directions(expected: dict[str, str], found: dict[str, str]) -> None:
    assert bool(package_differences(expected, found)) == (expected != found)
    assert bool(package_differences(found, expected)) == (expected != found)


def test_two_architectures_of_one_name_are_two_packages() -> None:
    both = {"libc6:amd64": "1", "libc6:i386": "1"}
    assert package_differences(both, both) == ()
    assert package_differences(both, {"libc6:amd64": "1"}) == ("1 missing: libc6:i386",)


def test_differences_are_named_and_long_ones_cut() -> None:
    expected = {"same": "1", "older": "2", **{f"lost{number:02}": "1" for number in range(MAX_LISTED + 2)}}
    found = {"same": "1", "older": "1", "extra": "1"}
    assert package_differences(expected, found) == (
        "12 missing: lost00, lost01, lost02, lost03, lost04, lost05, lost06, lost07, lost08, lost09 and 2 more",
        "1 unexpected: extra",
        "1 of another version: older 1 (expected 2)",
    )


def test_failed_units_are_the_first_words() -> None:
    listing = "a.service loaded failed failed A thing\nb.mount   loaded failed failed /b\n\n"
    assert parse_failed_units(listing) == ("a.service", "b.mount")


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (parse_packages, "bash 5.2\n", "expected a package's name and version, found 'bash 5.2'"),
        (
            parse_mounts,
            "/dev/vda1 / ext4\n",
            "expected a mount's source, target, type and options, found '/dev/vda1 / ext4'",
        ),
        (parse_host_keys, "ssh-ed25519 not-base64!\n", "expected an ssh host key in base64, found 'not-base64!'"),
    ],
)
def test_output_that_cannot_be_parsed_is_an_error(parse: Callable[[str], object], text: str, message: str) -> None:
    with pytest.raises(BootError, match=f"^{message}$"):
        parse(text)
