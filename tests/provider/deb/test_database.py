"""What is written for dpkg to read: stanzas, info files, triggers."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from oic.deb822 import fields_of
from oic.provider.deb import database
from oic.provider.deb.archive import ControlFile
from oic.provider.deb.unpack import Unpacked

if TYPE_CHECKING:
    from pathlib import Path

CONTROL = """Package: a
Version: 1
Architecture: amd64
Multi-Arch: same
Maintainer: Ä <a@example.org>
Description: small
 and more of it
 .
 to the end
"""


def unpacked(*paths: str, control: str = CONTROL, conffiles: dict[str, str] | None = None, **files: str) -> Unpacked:
    texts = {"control": control, **files}
    return Unpacked(
        name="a",
        control={name: ControlFile(content=text.encode(), mode=0o644) for name, text in texts.items()},
        paths=paths,
        directories={},
        conffiles=conffiles or {},
        clashes=(),
        newest=0,
    )


def test_files_of_a_package_that_may_be_there_twice_are_named_by_architecture() -> None:
    fields = fields_of(CONTROL)
    assert database.info_name(fields) == "a:amd64"
    assert database.info_name({**fields, "multi-arch": "foreign"}) == "a"


def test_dpkg_reads_what_is_written(tmp_path: Path) -> None:
    given = unpacked("/.", "/etc", "/etc/a", conffiles={"/etc/a": "0" * 32}, postinst="#!/bin/sh\n")
    database.write_database(tmp_path, [given])
    admin = f"--admindir={tmp_path}/var/lib/dpkg"
    shown = ["dpkg-query", admin, "-W", "-f", "${binary:Package}|${Status}|${Maintainer}|${Conffiles}", "a:amd64"]
    said = subprocess.run(shown, capture_output=True, text=True, check=True).stdout
    assert said == f"a:amd64|install ok unpacked|Ä <a@example.org>| /etc/a {'0' * 32}"
    listed = subprocess.run(["dpkg-query", admin, "-L", "a:amd64"], capture_output=True, text=True, check=True).stdout
    assert listed.split() == ["/.", "/etc", "/etc/a"]
    control = ["dpkg-query", admin, "--control-list", "a:amd64"]
    assert subprocess.run(control, capture_output=True, text=True, check=True).stdout == "postinst\n"


def test_a_line_break_only_for_python_does_not_split_a_line(tmp_path: Path) -> None:
    given = unpacked("/.", control=CONTROL.replace("and more", "and\u2028Essential: yes\x0b more"))
    database.write_database(tmp_path, [given])
    argv = ["dpkg-query", f"--admindir={tmp_path}/var/lib/dpkg", "-W", "-f", "${Description}|${Essential}", "a:amd64"]
    shown = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert shown == "small\n and\u2028Essential: yes\x0b more of it\n .\n to the end|no"


def test_triggers_go_where_dpkg_looks_for_them(tmp_path: Path) -> None:
    lines = "# why\ninterest one # of these\ninterest-noawait /usr/share/x\n\nactivate two\ninterest-await three\n"
    database.write_database(tmp_path, [unpacked(triggers=lines)])
    triggers = tmp_path / "var/lib/dpkg/triggers"
    assert {path.name: path.read_text() for path in triggers.iterdir()} == {
        "File": "/usr/share/x a:amd64/noawait\n",
        "one": "a:amd64\n",
        "three": "a:amd64\n",
    }
    assert database.interests_of(tmp_path) == ["/usr/share/x", "one", "three"]


def test_only_triggers_of_interest_are_activated_in_the_order_of_packages() -> None:
    first = unpacked("/usr/share/xy/z", triggers="activate two\nactivate nobody\ninterest one\n")
    second = unpacked("/usr/share/x/file", triggers="activate-noawait one\n")
    assert database.activated([first, second], ["/usr/share/x", "one", "two"]) == ["two", "/usr/share/x", "one"]


def test_reserved_paths_are_diversions_both_ways_and_overrides(tmp_path: Path) -> None:
    admin = tmp_path / "var/lib/dpkg"
    admin.mkdir(parents=True)
    assert database.reserved_paths(tmp_path) == frozenset()
    (admin / "diversions").write_text("/bin/sh\n/bin/sh.distrib\ndash\n/a\n/b\n:\n")
    (admin / "statoverride").write_text("root mail 2755 /usr/bin/with space\n")
    assert database.reserved_paths(tmp_path) == {"/bin/sh", "/bin/sh.distrib", "/a", "/b", "/usr/bin/with space"}
