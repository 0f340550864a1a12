"""Whose a path is: by dpkg's lists in a tree, by the headers of rpms, and by what scripts name."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from provider.rpm.made import Made, locked, needs_rpm

from oic.chroot import namespace
from oic.process import child
from oic.provider.belongings import Belongings
from oic.provider.deb.belongings import lists_in
from oic.provider.merged_usr import path_in_usr
from oic.provider.rpm.belongings import belongings as rpm_belongings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCRIPT = (
    "install -d /etc/drawn\nuuidgen > /etc/drawn/id\ncd /etc/drawn && openssl genpkey -algorithm ED25519 -out own.key\n"
)


def as_deb(place: Path) -> Belongings:
    tree = place / "package"
    (tree / "DEBIAN").mkdir(parents=True)
    control = "Package: drawer\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: draws\n"
    (tree / "DEBIAN/control").write_text(control)
    (tree / "DEBIAN/postinst").write_text(f"#!/bin/sh\n{SCRIPT}")
    (tree / "DEBIAN/postinst").chmod(0o755)
    for name in ("etc/drawer/conf", "bin/drawer"):
        (tree / name).parent.mkdir(parents=True)
        (tree / name).write_text("text\n")
    subprocess.run(["dpkg-deb", "--build", tree, place / "a.deb"], check=True, capture_output=True)
    root = place / "root"
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    argv = [
        "dpkg",
        "--root",
        str(root),
        "--force-not-root",
        "--force-script-chrootless",
        "--unpack",
        str(place / "a.deb"),
    ]
    subprocess.run(argv, check=True, capture_output=True)
    found: Belongings = namespace.call(child.inside, root, lists_in)
    return found


def as_rpm(place: Path) -> Belongings:
    needs_rpm()
    install = "cd %{buildroot}; mkdir -p etc/drawer bin; echo >etc/drawer/conf; echo >bin/drawer"
    files = "%dir /etc/drawer\n%config /etc/drawer/conf\n/bin/drawer\n%ghost /etc/drawer/made"
    file = Made(name="drawer", install=install, files=files, scripts=f"%post\n{SCRIPT}").make(place)
    return rpm_belongings([(locked(file), file)])


@pytest.mark.parametrize(("make", "script"), [(as_deb, "the postinst of drawer"), (as_rpm, "the %post of drawer")])
def test_a_path_is_its_packages_or_of_whose_script_names_it(
    make: Callable[[Path], Belongings], script: str, tmp_path: Path
) -> None:
    whose = make(tmp_path)
    assert whose.origin_of("/etc/drawer/conf") == "of drawer"
    assert whose.origin_of("/usr/bin/drawer") == "of drawer"
    assert whose.origin_of("/etc/drawn/id") == f"in no package's list, named in {script}"
    assert whose.origin_of("/etc/drawn/own.key") == f"in no package's list, named in {script}"
    assert whose.origin_of("/etc/drawer/other") == "in no package's list, below /etc/drawer of drawer"
    assert whose.origin_of("/srv/other") == "in no package's list"


def test_a_listed_path_that_scripts_name_says_so() -> None:
    whose = Belongings(
        owners={"/etc/id": ("a",)}, scripts={"the %post of a": "uuidgen > /etc/id", "the %post of b": "cat /etc/id"}
    )
    assert whose.origin_of("/etc/id") == "of a, named in the %post of a"


def test_only_a_whole_name_in_a_script_counts() -> None:
    whose = Belongings(owners={}, scripts={"the %post of a": "touch my-hostid hostid.bak hostid2 ./dir/hostname"})
    assert whose.origin_of("/etc/nvme/hostid") == "in no package's list"
    assert whose.origin_of("/etc/x/hostname") == "in no package's list, named in the %post of a"


@pytest.mark.parametrize(
    ("path", "place"), [("/bin/sh", "/usr/bin/sh"), ("/lib64/a", "/usr/lib64/a"), ("/binary", "/binary")]
)
def test_paths_are_where_a_merged_usr_has_them(path: str, place: str) -> None:
    assert path_in_usr(path) == place
