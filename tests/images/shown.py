"""What a booted image shows of each field of the system: by field a command, and what it prints; the page of it.

``python -m images.shown`` in ``tests/`` writes ``docs/fields.md``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = Path(__file__).parents[2] / "docs/fields.md"

SHARED = {
    "hostname": ("uname -n", "fields"),
    "timezone": ("readlink /etc/localtime", ".*/Europe/Berlin"),
    "locale": ("cat /etc/locale.conf", "LANG=C.UTF-8"),
    "keymap": ("cat /etc/vconsole.conf", "KEYMAP=de"),
    "kernel.cmdline": ("cat /proc/cmdline", ".* oic.shown=yes.*"),
    "kernel.enableExtraModules": ("test -d /sys/module/dummy && echo there", "there"),
    "network.interfaces.name": ("test -e /sys/class/net/dummy0 && echo there", "there"),
    "network.interfaces.addresses": ("ip -o -4 addr show dummy0", r".* inet 192\.0\.2\.10/24 .*"),
    "network.interfaces.routes.to": ("ip route show default | cut -d' ' -f1", "default"),
    "network.interfaces.routes.via": ("ip route show default", r"default via 192\.0\.2\.1 dev dummy0.*"),
    "network.interfaces.nameservers": ("resolvectl dns dummy0", r".*: 192\.0\.2\.53"),
    "users.name": ("id -un one", "one"),
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
    "additionalFiles.final": ("head -n 1 /etc/own/text", "a text"),
    "additionalFiles.content": ("tail -n 1 /etc/own/text", "of two lines"),
    "additionalFiles.owner": ("stat -c '%U %G' /etc/own/text", "one made"),
    "additionalFiles.mode": ("stat -c '%U %G %a' /etc/own/text", "one made 600"),
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

IMAGES: dict[str, Mapping[str, tuple[str, str]]] = {
    "debian12-fields": {**SHARED, **DEBIAN},
    "azl3-fields": {**SHARED, **AZURE},
    "debian13-netplan": NETPLAN,
}
"""By image: what is asked of it."""

OF_NO_IMAGE = {
    "additionalFiles.stage": "says when a public tool copies the file; the image is the same",
    "name": "for finding recipes; it has no effect",
    "description": "for finding recipes; it has no effect",
    "kernel.name": "public tools ignore it, and so does oic, with a note",
    "kernel.uki": "public tools ignore it, and so does oic, with a note",
    "initramfs.template": "of an ISO",
}
"""By field: why no image shows it."""

BUILT_LATER = frozenset({"fde", "immutability.updates", "immutability.encrypt"})
"""Fields that a build refuses by name."""

ELSEWHERE = {
    "recommends": "`provider/deb/test_solve.py` and `provider/rpm/test_solve.py`: the packages chosen",
    "packages": "`images/test_boot.py`: the packages of the booted image are those of the lock",
    "kernel.version": "`provider/deb/test_solve.py` (the cases `series`), `provider/rpm/test_solve.py`: the version",
    "kernel.packages": "`images/test_boot.py`: the packages of the booted image are those of the lock",
    "kernel.entries": "`images/test_entries.py`: booted by the entries",
    "bootloader.bootType": "`images/test_grub.py`: booted by a BIOS and by UEFI",
    "bootloader.provider": "`images/test_grub.py` and `images/test_boot.py`: booted by GRUB and by systemd-boot",
    "configurations.network": "`hostile/test_leads.py`: what a command with the network sees",
    "scriptletsMayFail": "`e2e/test_rpm_scriptlets.py`: a scriptlet that fails",
    "immutability.enabled": "`images/test_verity.py`: booted, verified, and with a changed block",
    "immutability.state": "`images/test_verity.py`: what is written is there after a reboot",
    **{
        f"immutability.secureBootDB{key}": "`images/test_secure_boot.py`: what firmware boots that knows this key alone"
        for key in ("Key", "Crt", "Cer")
    },
    "immutability.signing": "`rebuild/test_signing.py`: signed elsewhere, the same bytes but for the signature",
    "network.interfaces.dhcp4": "`image/test_network.py`: the file for systemd-networkd, and what netplan generates",
    "network.interfaces.dhcp6": "`image/test_network.py`: the file for systemd-networkd, and what netplan generates",
}
"""By field: the test that shows it, where it is not in a booted image with the others."""


def field_of(check: str) -> str:
    """Return the field that a check is of; its name may say more after a comma."""
    return check.partition(",")[0]


def page() -> str:
    """Return ``docs/fields.md``."""
    images = list(IMAGES)
    lines = [
        "# What a booted image shows of each field",
        "",
        "Each field of `systemConfig`, and some of `disk`, asked of booted images by `tests/images/test_fields.py`: a",
        "command, and the regular expression that its whole output has to match. `make test` boots the first image,",
        "`make test-all` each. This page is made from the table of the tests (`tests/images/shown.py`).",
        "",
        f"| field | command | prints | {' | '.join(images)} |",
        f"|---|---|---|{'---|' * len(images)}",
    ]
    every = {(field, *check): None for checks in IMAGES.values() for field, check in checks.items()}
    for field, command, wanted in sorted(every, key=lambda row: row[0].lower()):
        asked = ["yes" if IMAGES[name].get(field) == (command, wanted) else "no" for name in images]
        lines.append(f"| {field} | {_code(command)} | {_code(wanted)} | {' | '.join(asked)} |")
    lines += ["", "Fields that other tests show:", "", "| field | test |", "|---|---|"]
    lines += [f"| {field} | {where} |" for field, where in sorted(ELSEWHERE.items())]
    lines += ["", "Fields that no image shows:", "", "| field | why |", "|---|---|"]
    lines += [f"| {field} | {why} |" for field, why in sorted(OF_NO_IMAGE.items())]
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
