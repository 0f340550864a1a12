"""What a recipe sets and the image has no use for is said, with what was meant or what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from oic.config.model import Services, User
from oic.errors import OicError
from oic.image.tree.accounts import check_shells
from oic.image.tree.effects import check_time_zone, check_units, group_names, idle_settings

if TYPE_CHECKING:
    from pathlib import Path


def user(*, sudo: bool = False, groups: tuple[str, ...] = (), shell: str = "") -> User:
    return User(
        name="ann",
        password="",
        hash_algo="",
        password_max_age=None,
        startup_script="",
        groups=groups,
        sudo=sudo,
        home="",
        shell=shell,
        ssh_authorized_keys=(),
    )


@dataclass(frozen=True, kw_only=True)
class Said:
    users: tuple[User, ...] = ()
    locale: str = ""
    keymap: str = ""


def tree(root: Path, *names: str, **texts: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    for name, text in texts.items():
        (root / "etc" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "etc" / name).write_text(text)
    return root


def notes(root: Path, said: Said) -> list[str]:
    return idle_settings(root, said, group_names(root))


def test_sudo_needs_the_package(tmp_path: Path) -> None:
    said = Said(users=(user(sudo=True),))
    assert notes(tree(tmp_path), said) == [
        "users: sudo of ann has no effect, as the image has no sudo: add the package sudo"
    ]
    assert notes(tree(tmp_path, "usr/bin/sudo"), said) == []


def test_a_group_that_no_package_has_is_named_with_the_one_meant(tmp_path: Path) -> None:
    root = tree(tmp_path, group="root:x:0:\nvideo:x:44:\n")
    assert notes(root, Said(users=(user(groups=("video", "vidoe")),))) == [
        "users: the group vidoe of ann was made, as no package has it; did you mean 'video'?"
    ]


def test_a_locale_is_looked_up_as_glibc_does(tmp_path: Path) -> None:
    root = tree(tmp_path, "usr/lib/locale/en_US.utf8/LC_CTYPE", "usr/share/i18n/locales/de_DE")
    for name in ("C.UTF-8", "POSIX", "en_US.UTF-8", "en_US.utf8"):
        assert notes(root, Said(locale=name)) == []
    add = "add locales-all or a glibc-langpack, or a command that runs localedef"
    assert notes(root, Said(locale="de_DE.UTF-8")) == [
        f"locale: de_DE.UTF-8 has no effect, as the image does not have it: {add}"
    ]
    assert notes(root, Said(locale="de_DR.UTF-8")) == [
        "locale: de_DR.UTF-8 has no effect, as the image does not have it; did you mean 'de_DE'?"
    ]
    (root / "usr/lib/locale/locale-archive").write_bytes(b"\0fr_FR.utf8\0")
    assert notes(root, Said(locale="fr_FR.UTF-8")) == []


def test_a_keymap_needs_keymaps(tmp_path: Path) -> None:
    assert notes(tree(tmp_path), Said(keymap="de")) == [
        "keymap: de has no effect, as the image has no keymaps: add console-setup or kbd"
    ]
    root = tree(tmp_path, "usr/share/keymaps/i386/qwertz/de-latin1.map.gz", "usr/share/X11/xkb/symbols/us")
    assert notes(root, Said(keymap="de-latin1")) == notes(root, Said(keymap="us")) == []
    assert notes(root, Said(keymap="de-latin")) == [
        "keymap: de-latin has no effect, as the image has no such keymap; did you mean 'de-latin1'?"
    ]


def test_a_time_zone_that_is_misspelt_and_one_without_any_there(tmp_path: Path) -> None:
    with pytest.raises(OicError, match=r"found Europe/Berlin \(add the package tzdata\)"):
        check_time_zone(tmp_path, "Europe/Berlin")
    root = tree(tmp_path, "usr/share/zoneinfo/Europe/Berlin")
    check_time_zone(root, "Europe/Berlin")
    with pytest.raises(OicError, match=r"found Europe/Berlyn; did you mean 'Europe/Berlin'\?$"):
        check_time_zone(root, "Europe/Berlyn")
    with pytest.raises(OicError, match=r"found Mars \(the name is one such as"):
        check_time_zone(root, "Mars")


def test_a_shell_that_is_not_installed(tmp_path: Path) -> None:
    root = tree(tmp_path, "bin/bash", shells="# shells\n/bin/bash\n/bin/zsh\n")
    with pytest.raises(OicError, match=r"found no /bin/bsh; did you mean '/bin/bash'\? \(add the package that has it"):
        check_shells(root, [user(shell="/bin/bsh")])


def test_every_unit_that_does_not_exist_is_named(tmp_path: Path) -> None:
    root = tree(tmp_path, "usr/lib/systemd/system/nginx.service", "lib/systemd/system/getty@.service", "etc/init.d/old")
    fine = ("nginx.service", "getty@tty1.service", "old.service")
    assert check_units(root, Services(enable=fine, disable=fine, mask=fine)) == []
    asked = Services(enable=("ngnix.service", "qqq.timer"), disable=("old.servce",), mask=("other.service",))
    with pytest.raises(OicError) as raised:
        check_units(root, asked)
    assert str(raised.value).splitlines() == [
        "services.enable: expected a unit of the image, found no ngnix.service; did you mean 'nginx.service'?",
        "services.enable: expected a unit of the image, found no qqq.timer; add the package that has it",
        "services.disable: expected a unit of the image, found no old.servce; did you mean 'old.service'?",
    ]
    assert check_units(root, Services(enable=(), disable=(), mask=("ngnix.service",))) == [
        "services.mask: no effect, as the image has no ngnix.service; did you mean 'nginx.service'?"
    ]
