"""Repositories that are made of rpm files, through doit: they are chosen, verified and installed."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from net.mirror import Served
from provider.rpm.made import Made, needs_rpm

from .test_package_files import sha256, trust_in
from .test_recipe_repositories import packages_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .bench import Bench
    from .tiny_rpm import TinyRpm

PATH = "/usr/lib/gadget/part"


def entry(*files: str | dict[str, str], **fields: object) -> str:
    repository = {"packages": list(files), **fields}
    return f"packageRepositories: {json.dumps([repository])}\nsystemConfig: {{packages: [gadget]}}\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Return a gadget that needs a file which only the list of all files of ``part`` shows."""
    needs_rpm()
    place = tmp_path_factory.mktemp("files")
    gadget = Made(
        name="gadget",
        tags=f"Requires: {PATH}",
        install="mkdir -p %{buildroot}/opt; : >%{buildroot}/opt/g",
        files="/opt/g",
    )
    install = f"mkdir -p %{{buildroot}}/usr/lib/gadget; : >%{{buildroot}}{PATH}"
    part = Made(name="part", epoch=2, architecture="x86_64", install=install, files=PATH)
    found = {name: one.make(place / name) for name, one in {"gadget": gadget, "part": part}.items()}
    found["other"] = place / "other" / "gadget.rpm"
    found["other"].parent.mkdir()
    found["other"].write_bytes(found["gadget"].read_bytes().replace(b"\0noarch\0", b"\0armv6l\0"))
    return found


def test_a_tar_of_rpms_is_a_repository(rpm_bench: Bench, made: Mapping[str, Path]) -> None:
    argv = ["tar", "-czf", str(rpm_bench.place / "rpms.tgz")]
    for path in made.values():
        argv += ["-C", str(path.parent.parent), f"{path.parent.name}/{path.name}"]
    subprocess.run(argv, check=True)
    rpm_bench.write(entry("rpms.tgz", codename="mine"))
    said = "note: mine: nobody signed its package files; they are taken 2 as they were found"
    rpm_bench.oic("rootfs").succeeded(said, "left out, as they are not for x86_64: 1 for armv6l")
    assert packages_of(rpm_bench)["gadget"] == ("1.0-1", "mine")
    assert packages_of(rpm_bench)["part"] == ("2:1.0-1", "mine")
    assert trust_in(rpm_bench)["part"] == "unsigned: taken as it was found: rpms.tgz: part/part.rpm"
    assert "signed by" in trust_in(rpm_bench)["hello"]
    assert rpm_bench.oic("rootfs").said.count("-- ") == 7


def test_a_file_of_a_url_and_a_directory(rpm_bench: Bench, tiny_rpms: TinyRpm, made: Mapping[str, Path]) -> None:
    data = made["gadget"].read_bytes()
    tiny_rpms.mirror.answers["/gadget.rpm"] = Served(data)
    pinned = {"url": tiny_rpms.mirror.url("/gadget.rpm"), "sha256": sha256(data)}
    rpm_bench.write(entry(pinned, str(made["part"].parent)))
    rpm_bench.oic("verify").succeeded(
        "taken 1 by the sha256 that the recipe has of their files and 1 as they were found"
    )
    assert trust_in(rpm_bench)["gadget"] == f"unsigned: the recipe has the sha256 {sha256(data)} of {pinned['url']}"


def test_what_is_refused(rpm_bench: Bench, made: Mapping[str, Path]) -> None:
    rpm_bench.write(entry(str(made["other"])))
    rpm_bench.oic("verify").refused_in_one_line("expected a package for x86_64, found gadget 1.0-1 armv6l")
    (rpm_bench.place / "a.rpm").write_bytes(b"!<arch>\ndebian-binary")
    rpm_bench.write(entry("a.rpm"))
    rpm_bench.oic("verify").refused_in_one_line("a.rpm: expected an rpm package, found a file that does not begin with")
    rpm_bench.write(entry("a.rpm", pkey="/a.gpg"))
    rpm_bench.oic("verify").refused(
        "packageRepositories[0]: a key that package files are held against is not built yet"
    )
