"""What answers change in a system, in trees that are made up."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from oic.installer.accounts import account_of
from oic.installer.answers import Answers, Interface, User
from oic.installer.errors import InstallError
from oic.installer.network import networkd_text
from oic.installer.personal import personalise
from oic.installer.tree import inside, make_folder, read_text, write_text

UID, GID = os.geteuid(), os.getegid()
HASH = f"$6$salt${'a' * 86}"
KEY = "ssh-ed25519 AAAA ada"
HOSTS = "127.0.0.1\tlocalhost\n127.0.1.1\tedge.example.org edge\n::1\tlocalhost ip6-localhost\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A system with root and ada, networkd and a name."""
    tree = tmp_path / "root"
    files = {
        "etc/hostname": "edge.example.org\n",
        "etc/hosts": HOSTS,
        "etc/passwd": f"root:x:0:0:root:/root:/bin/bash\nada:x:{UID}:{GID}:,,,:/home/ada:/bin/bash\n",
        "etc/shadow": "root:*:19000:0:99999:7:::\nada:!:19000:0:99999:7:::\nadalbert:!:1::::::\n",
        "usr/lib/systemd/systemd-networkd": "",
    }
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    (tree / "etc/shadow").chmod(0o640)
    (tree / "home/ada").mkdir(parents=True)
    return tree


def all_files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_no_answers_change_nothing(root: Path) -> None:
    before = all_files(root)
    personalise(root, Answers())
    assert all_files(root) == before


def test_a_host_name_is_written_where_the_build_has_put_its_own(root: Path) -> None:
    personalise(root, Answers(hostname="seven.example.org"))
    assert (root / "etc/hostname").read_text() == "seven.example.org\n"
    assert (root / "etc/hosts").read_text() == HOSTS.replace("edge.example.org edge", "seven.example.org seven")
    personalise(root, Answers(hostname="eight"))
    assert "\n127.0.1.1\teight\n" in (root / "etc/hosts").read_text()


def test_hosts_of_somebody_else_stay(root: Path) -> None:
    (root / "etc/hosts").write_text("10.0.0.1 edge\n# 127.0.1.1 no\n")
    personalise(root, Answers(hostname="seven"))
    assert (root / "etc/hosts").read_text() == "10.0.0.1 edge\n# 127.0.1.1 no\n"
    (root / "etc/hosts").unlink()
    personalise(root, Answers(hostname="eight"))
    assert not (root / "etc/hosts").exists()


def test_a_password_replaces_one_field_of_one_line(root: Path) -> None:
    personalise(root, Answers(users=(User(name="ada", password=HASH),)))
    assert (root / "etc/shadow").read_text() == (
        f"root:*:19000:0:99999:7:::\nada:{HASH}:19000:0:99999:7:::\nadalbert:!:1::::::\n"
    )
    assert stat.S_IMODE((root / "etc/shadow").stat().st_mode) == 0o640
    assert [path.name for path in (root / "etc").iterdir() if path.name.startswith(".")] == []


def test_a_user_without_a_line_of_shadow_gets_one(root: Path) -> None:
    (root / "etc/shadow").unlink()
    personalise(root, Answers(users=(User(name="ada", password=HASH),)))
    assert (root / "etc/shadow").read_text() == f"ada:{HASH}:::::::\n"
    assert stat.S_IMODE((root / "etc/shadow").stat().st_mode) == 0o600


def test_keys_replace_those_of_the_recipe_and_belong_to_the_user(root: Path) -> None:
    for _ in range(2):
        personalise(root, Answers(users=(User(name="ada", keys=(KEY, f"{KEY}-two")),)))
        file = root / "home/ada/.ssh/authorized_keys"
        assert file.read_text() == f"{KEY}\n{KEY}-two\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert (file.stat().st_uid, file.parent.stat().st_gid) == (UID, GID)


@pytest.mark.skipif(UID != 0, reason="only root can give files away")
def test_files_belong_to_another_user(root: Path) -> None:
    (root / "etc/passwd").write_text("ada:x:1234:5678::/home/ada:/bin/sh\n")
    shutil.rmtree(root / "home")
    personalise(root, Answers(users=(User(name="ada", keys=(KEY,)),)))
    for name in ("home/ada", "home/ada/.ssh", "home/ada/.ssh/authorized_keys"):
        assert ((root / name).stat().st_uid, (root / name).stat().st_gid) == (1234, 5678)
    assert (root / "home").stat().st_uid == 0
    assert stat.S_IMODE((root / "home").stat().st_mode) == 0o755


def test_a_user_whom_nothing_can_add_is_an_error(root: Path) -> None:
    with pytest.raises(InstallError, match="expected the user bob in the system, or useradd to add it, found neither"):
        personalise(root, Answers(users=(User(name="bob", password=HASH),)))


@pytest.mark.skipif(UID != 0, reason="only root can change the root directory")
def test_a_user_whom_the_system_lacks_is_added_by_its_own_useradd(root: Path) -> None:
    for program in ("/usr/sbin/useradd", "/bin/sh"):
        output = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        for name in {program, *re.findall(r"(/\S+) \(0x", output)}:
            (root / name.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(os.path.realpath(name), root / name.lstrip("/"))
    (root / "dev").mkdir()
    for name in ("group", "gshadow", "login.defs"):
        (root / "etc" / name).write_text("root:x:0:\n" if name == "group" else "")
    before = [Path("/etc/passwd").read_bytes(), Path("/etc/shadow").read_bytes()]
    personalise(root, Answers(users=(User(name="bob", password=HASH, keys=(KEY,)),)))
    assert [Path("/etc/passwd").read_bytes(), Path("/etc/shadow").read_bytes()] == before
    account = account_of(root, "bob")
    assert account is not None
    assert account.home == "/home/bob"
    assert account.uid >= 1000
    assert "/bin/sh" in (root / "etc/passwd").read_text().splitlines()[-1]
    assert f"\nbob:{HASH}:" in (root / "etc/shadow").read_text()
    assert (root / "home/bob/.ssh/authorized_keys").stat().st_uid == account.uid


@pytest.mark.parametrize(
    "line", ["ada:x", "ada:x:-1:0::/home/ada:/bin/sh", "ada:x:4294967295:0::/h:/bin/sh", "ada:x:1:1:::"]
)
def test_a_damaged_line_of_passwd_is_an_error(line: str, root: Path) -> None:
    (root / "etc/passwd").write_text(f"{line}\n")
    with pytest.raises(InstallError, match="expected ids and a home of ada"):
        personalise(root, Answers(users=(User(name="ada", password=HASH),)))


STATIC = Interface(name="eth0", address="192.0.2.10/24", gateway="192.0.2.1", dns=("192.0.2.2", "2001:db8::1"))


def test_an_interface_becomes_a_file_that_networkd_reads_first(root: Path) -> None:
    (root / "etc/systemd/network").mkdir(parents=True)
    (root / "etc/systemd/network/10-eth0.network").write_text("[Match]\nName=eth0\n")
    personalise(root, Answers(interfaces=(STATIC, Interface(name="e1", address="dhcp"))))
    folder = root / "etc/systemd/network"
    assert sorted(path.name for path in folder.iterdir()) == ["05-e1.network", "05-eth0.network", "10-eth0.network"]
    assert (folder / "05-eth0.network").read_text() == (
        "[Match]\nName=eth0\n\n[Network]\nDHCP=no\nAddress=192.0.2.10/24\nGateway=192.0.2.1\n"
        "DNS=192.0.2.2\nDNS=2001:db8::1\n"
    )
    assert networkd_text(Interface(name="e1", address="dhcp")) == "[Match]\nName=e1\n\n[Network]\nDHCP=yes\n"


@pytest.fixture
def netplan(root: Path) -> Path:
    """A system that netplan configures: the directory of its files."""
    (root / "usr/lib/systemd/system-generators").mkdir(parents=True)
    (root / "usr/lib/systemd/system-generators/netplan").touch()
    (root / "etc/netplan").mkdir()
    return root / "etc/netplan"


def test_an_interface_replaces_that_of_the_recipe_in_netplan(root: Path, netplan: Path) -> None:
    recipe = {"eth0": {"dhcp4": True}, "eth1": {"dhcp4": True}}
    (netplan / "50-image.yaml").write_text(json.dumps({"network": {"version": 2, "ethernets": recipe}}))
    (netplan / "50-image.yaml").chmod(0o600)
    personalise(root, Answers(interfaces=(STATIC,)))
    assert [path.name for path in netplan.iterdir()] == ["50-image.yaml"]
    assert stat.S_IMODE((netplan / "50-image.yaml").stat().st_mode) == 0o600
    assert json.loads((netplan / "50-image.yaml").read_text()) == {
        "network": {
            "version": 2,
            "ethernets": {
                "eth0": {
                    "dhcp4": False,
                    "dhcp6": False,
                    "addresses": ["192.0.2.10/24"],
                    "routes": [{"to": "0.0.0.0/0", "via": "192.0.2.1"}],
                    "nameservers": {"addresses": ["192.0.2.2", "2001:db8::1"]},
                },
                "eth1": {"dhcp4": True},
            },
        }
    }


def test_an_interface_gets_a_file_of_its_own_beside_those_of_others_in_netplan(root: Path, netplan: Path) -> None:
    (netplan / "01-mine.yaml").write_text("network:\n  version: 2\n")
    personalise(root, Answers(interfaces=(Interface(name="eth0", address="2001:db8::5/64", gateway="2001:db8::1"),)))
    whole = json.loads((netplan / "90-answers.yaml").read_text())
    assert whole["network"]["renderer"] == "networkd"
    assert whole["network"]["ethernets"]["eth0"]["routes"] == [{"to": "::/0", "via": "2001:db8::1"}]
    assert (netplan / "01-mine.yaml").read_text() == "network:\n  version: 2\n"


def test_networkd_is_used_where_netplan_has_no_configuration(root: Path, netplan: Path) -> None:
    personalise(root, Answers(interfaces=(STATIC,)))
    assert list(netplan.iterdir()) == []
    assert (root / "etc/systemd/network/05-eth0.network").exists()


def test_a_system_without_either_is_an_error(root: Path) -> None:
    (root / "usr/lib/systemd/systemd-networkd").unlink()
    with pytest.raises(InstallError, match="expected systemd-networkd or netplan in the system, found neither"):
        personalise(root, Answers(interfaces=(STATIC,)))


@pytest.mark.parametrize(
    ("links", "path", "found"),
    [
        ({}, "/etc/hosts", "etc/hosts"),
        ({"etc": "/usr/etc"}, "/etc/hosts", "usr/etc/hosts"),
        ({"etc": "usr/etc"}, "/etc/../etc/./hosts", "usr/etc/hosts"),
        ({"etc": "../../../../usr/etc"}, "/etc/hosts", "usr/etc/hosts"),
        ({"a": "b", "b": "/c/../d"}, "/a/x", "d/x"),
        ({"etc/hosts": "/../../etc/passwd"}, "/etc/hosts", "etc/passwd"),
        ({}, "/../../../etc", "etc"),
    ],
)
def test_a_path_stays_in_the_system_whatever_its_links_say(
    links: dict[str, str], path: str, found: str, tmp_path: Path
) -> None:
    for name, target in links.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(target)
    assert inside(tmp_path, path) == tmp_path / found


def test_a_loop_of_links_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("/a")
    with pytest.raises(InstallError, match="expected a path without a loop of links"):
        inside(tmp_path, "/a/x")


def test_files_are_read_and_written_through_links_of_the_system_only(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "hostname").write_text("mine\n")
    shutil.rmtree(root / "etc")
    (root / "etc").symlink_to(outside)
    write_text(root, "/etc/hostname", "theirs\n")
    assert (outside / "hostname").read_text() == "mine\n"
    assert read_text(root, "/etc/hostname") == "theirs\n"
    (root / "home/ada/.ssh").symlink_to(outside)
    make_folder(root, "/home/ada/.ssh/deeper")
    assert sorted(path.name for path in outside.iterdir()) == ["hostname"]


def test_bytes_that_are_no_text_survive(root: Path) -> None:
    (root / "etc/passwd").write_bytes(b"\xff:x:1:1::/:/bin/sh\nada:x:1:1::/home/ada:/bin/sh\n")
    (root / "etc/shadow").write_bytes(b"\xff:!:\nada:!:\n")
    personalise(root, Answers(users=(User(name="ada", password=HASH),)))
    assert (root / "etc/shadow").read_bytes() == b"\xff:!:\nada:%s:\n" % HASH.encode()
