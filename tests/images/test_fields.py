"""What a booted image shows of each field of the system: one boot of an image of each family, a check a field."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from oic.boottest.boot import CREDENTIALS, PROBE, PROBE_PASSWORD, await_login
from oic.boottest.session import log_in
from oic.boottest.vm import UEFI, Machine, started

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Built

pytestmark = [pytest.mark.mirror, pytest.mark.boot]

SHARED = {
    "hostname": ("uname -n", "fields"),
    "timezone": ("readlink /etc/localtime", ".*/Europe/Berlin"),
    "locale": ("cat /etc/locale.conf", "LANG=C.UTF-8"),
    "keymap": ("cat /etc/vconsole.conf", "KEYMAP=de"),
    "kernel.cmdline": ("cat /proc/cmdline", ".* oic.shown=yes.*"),
    "kernel.enableExtraModules": ("test -d /sys/module/dummy && echo there", "there"),
    "network.interfaces.addresses": ("ip -o -4 addr show dummy0", r".* inet 192\.0\.2\.10/24 .*"),
    "network.interfaces.routes": ("ip route show default", r"default via 192\.0\.2\.1 dev dummy0.*"),
    "network.interfaces.nameservers": ("resolvectl dns dummy0", r".*: 192\.0\.2\.53"),
    "users.password": ("grep ^one: /etc/shadow", r"one:\$6\$.*"),
    "users.password, a hash": ("grep ^six: /etc/shadow", r"six:\$5\$salt\$pz6GU9Ql.*"),
    "users.password, none": ("grep ^Five: /etc/shadow", r"Five:!.*"),
    "users.hash_algo, sha256": ("grep ^two: /etc/shadow", r"two:\$5\$.*"),
    "users.hash_algo, bcrypt": ("grep ^three: /etc/shadow", r"three:\$2b\$.*"),
    "users.hash_algo, md5": ("grep ^four: /etc/shadow", r"four:\$1\$.*"),
    "users.passwordMaxAge": ("grep ^one: /etc/shadow | cut -d: -f5", "90"),
    "users.groups": ("id -nG one", r"one (.* )?video( .*)? made.*|one .*made.*video.*"),
    "users.sudo": ("cat /etc/sudoers.d/90-one", r"one ALL=\(ALL:ALL\) ALL"),
    "users.sudo, the group": ("id -nG one", ".*(sudo|wheel).*"),
    "users.home": ("stat -c '%U %F' /srv/two", "two directory"),
    "users.shell": ("grep ^two: /etc/passwd | cut -d: -f7", "/bin/sh"),
    "users.startupScript": ("grep ^three: /etc/passwd | cut -d: -f7", "/usr/local/bin/start"),
    "users.sshAuthorizedKeys": ("stat -c '%U %a' /home/Five/.ssh/authorized_keys", "Five 600"),
    "additionalFiles.local": ("stat -c '%U %a' /usr/local/bin/start", "root 755"),
    "additionalFiles.local, a directory": (
        "cd /usr/share/own && find . | sort | xargs stat -c '%n %U %a %F' | tr '\\n' ';'",
        (
            r"\. two 755 directory;\./below two 755 directory;\./below/file two 644 regular file;"
            r"\./link two 777 symbolic link;\./start two 755 regular file;"
        ),
    ),
    "additionalFiles.local, a link in it": ("cat /usr/share/own/link", "a file"),
    "additionalFiles.local, none": ("test -e /etc/own/absent || echo absent", "absent"),
    "additionalFiles.content": ("tail -n 1 /etc/own/text", "of two lines"),
    "additionalFiles.mode, owner": ("stat -c '%U %G %a' /etc/own/text", "one made 600"),
    "configurations.cmd": ("cat /etc/own/bash", r"5\..*"),
    "packageSources": (
        "grep -rhs ^deb /etc/apt/sources.list* ; grep -rhs enabled=1 /etc/yum.repos.d ; echo none", "none",
    ),
    "disk.partitions.fsLabel": ("findmnt -no LABEL /", "top"),
    "disk.partitions.mountPoint": ("findmnt -no FSTYPE /data", "ext4"),
    "disk.partitions.mountOptions": ("findmnt -no OPTIONS /data", ".*noatime.*"),
}  # fmt: skip
"""By field: a command, and what it prints."""

DEBIAN = {
    "packages, a glob": ("dpkg-query -W -f '${Status}' vim-tiny", "install ok installed"),
    "packages, excludePackages": (
        "dpkg-query -W -f '${db:Status-Status} ${Package} ' 'systemd-time*' chrony",
        "(?!(.* )?installed systemd).*",
    ),
    "services.enable": ("systemctl is-enabled ssh", "enabled"),
    "services.disable": ("systemctl is-enabled chrony", "disabled"),
    "services.mask": ("systemctl is-enabled apt-daily.timer", "masked"),
}
AZURE = {
    "excludePackages": ("rpm -q cloud-utils-growpart", ".*not installed"),
    "services.enable": ("systemctl is-enabled sshd", "enabled"),
    "services.disable": ("systemctl is-enabled logrotate.timer", "disabled"),
    "services.mask": ("systemctl is-enabled ctrl-alt-del.target", "masked"),
}
NETPLAN = {
    "network.backend": ("stat -c '%a' /etc/netplan/*", "600"),
    **{name: SHARED[name] for name in SHARED if name.startswith("network.")},
}


@pytest.mark.parametrize(
    ("name", "checks"),
    [
        pytest.param("debian12-fields", {**SHARED, **DEBIAN}, id="debian12"),
        pytest.param("azl3-fields", {**SHARED, **AZURE}, id="azl3", marks=pytest.mark.slow),
        pytest.param("debian13-netplan", NETPLAN, id="netplan", marks=pytest.mark.slow),
    ],
)
def test_a_booted_image_shows_every_field(
    built: Callable[[str], Built], name: str, checks: dict[str, tuple[str, str]]
) -> None:
    image = built(name)
    deadline = time.monotonic() + 900
    log = image.directory / "fields.log"
    with started(image.raw, Machine(firmware=UEFI), credentials=CREDENTIALS, log=log) as console:
        await_login(console, time.monotonic(), deadline, lambda _line: None)
        session = log_in(console, PROBE, PROBE_PASSWORD, deadline)
        shown = {field: session.run(command, deadline).text.strip() for field, (command, _) in checks.items()}
    wrong = {field: shown[field] for field, (_, wanted) in checks.items() if not re.fullmatch(wanted, shown[field])}
    assert wrong == {}


def test_each_command_has_a_log_of_its_own_and_its_status_in_the_stage_s(built: Callable[[str], Built]) -> None:
    image = built("debian12-fields")
    logs = image.directory / "log"
    assert "said\n" in (logs / "command-1.log").read_text()
    said = [line for line in (logs / "system.log").read_text().splitlines() if line.startswith("configurations[")]
    assert said == [
        f"configurations[{number}]: exit status 0, its output is in command-{number}.log" for number in (0, 1)
    ]
