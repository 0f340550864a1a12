"""Repositories of rpms in a recipe, through doit: chosen from, verified, and known to the image."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from .tiny_rpm import TinyRpm, hello

if TYPE_CHECKING:
    from pathlib import Path

    from provider.rpm.keys import Key

    from .bench import Bench


NO_KERNEL = "expected a kernel"
"""What the stage ends with, once the layer is there: the tiny kernel is none."""


def recipe(url: str, key: str, more: str = "") -> str:
    return f"packageRepositories:\n  - {{codename: vendor, url: '{url}', pkey: '{key}'{more}}}\n"


@pytest.fixture
def vendor(tiny_rpms: TinyRpm, keys: dict[str, Key], tmp_path: Path) -> str:
    """Serve a repository that another key signs, with a newer hello; return its URL. Its key is at ``/vendor/key``."""
    made = hello(version="2.0")
    install, files = f"{made.install}; mkdir -p %{{buildroot}}/etc/yum.repos.d", f"{made.files}\n/etc/yum.repos.d"
    newer = keys["foreign"].sign(replace(made, install=install, files=files).make(tmp_path / "newer")).read_bytes()
    place = tmp_path / "vendor"
    TinyRpm(
        mirror=tiny_rpms.mirror, packages={"hello": newer}, key=keys["foreign"], place=place, base="/vendor"
    ).publish()
    tiny_rpms.serve("/vendor/key", keys["foreign"].public())
    tiny_rpms.publish(revision=2000)
    return tiny_rpms.mirror.url("/vendor")


def chosen(bench: Bench) -> tuple[str, str]:
    packages = json.loads((bench.image / "lock.json").read_text())["sets"]["image"]
    return next((one["version"], one["repository"]) for one in packages if one["name"] == "hello")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", ("2.0-1", "vendor")),
        (", priority: 100", ("2.0-1", "vendor")),
        (", priority: 600", ("2.0-1", "vendor")),
        (", allowPackages: [hello-1]", ("1.0-1", "tiny")),
        (", allowPackages: [hello-2]", ("2.0-1", "vendor")),
    ],
)
def test_which_repository_wins(rpm_bench: Bench, vendor: str, more: str, expected: tuple[str, str]) -> None:
    rpm_bench.write(recipe(vendor, f"{vendor}/key", more))
    rpm_bench.oic("solve").succeeded("2 repositories, signatures good")
    assert chosen(rpm_bench) == expected


def test_the_image_knows_it(rpm_bench: Bench, vendor: str) -> None:
    rpm_bench.write(recipe(vendor, f"{vendor}/key", ", priority: 600, allowPackages: [hello]"))
    rpm_bench.oic("system").refused(NO_KERNEL)
    (repository,) = rpm_bench.cache.glob("layers/*/tree/etc/yum.repos.d/vendor.repo")
    text = repository.read_text()
    assert f"baseurl={vendor}\n" in text
    assert "priority=49\nincludepkgs=hello\n" in text
    key = repository.parents[1] / "pki/rpm-gpg/RPM-GPG-KEY-vendor"
    assert key.read_bytes().startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----")
    rpm_bench.write(f"{recipe(vendor, f'{vendor}/key')}systemConfig: {{packageSources: drop}}\n")
    layers = set(rpm_bench.cache.glob("layers/*"))
    rpm_bench.oic("system").refused(NO_KERNEL)
    new = set(rpm_bench.cache.glob("layers/*")) - layers
    assert not [path for layer in new for path in layer.glob("tree/etc/yum.repos.d/vendor.repo")]


def test_a_key_of_this_host(rpm_bench: Bench, vendor: str, keys: dict[str, Key], tmp_path: Path) -> None:
    (tmp_path / "key.asc").write_bytes(keys["foreign"].public())
    rpm_bench.write(recipe(vendor, str(tmp_path / "key.asc")))
    rpm_bench.oic("system").refused(NO_KERNEL)
    assert list(rpm_bench.cache.glob("layers/*/tree/etc/pki/rpm-gpg/RPM-GPG-KEY-vendor"))
    (tmp_path / "key.asc").write_bytes(keys["own"].public())
    rpm_bench.oic("system").refused("vendor: expected it signed by a key of the recipe")


METALINK = """<?xml version="1.0" encoding="utf-8"?>
<metalink version="3.0" xmlns="http://www.metalinker.org/" xmlns:mm0="http://fedorahosted.org/mirrormanager">
 <files><file name="repomd.xml"><mm0:timestamp>1</mm0:timestamp><size>1</size><resources maxconnections="1">
  <url protocol="rsync" type="rsync" location="DE" preference="100">rsync://gone.invalid/x/repodata/repomd.xml</url>
  <url protocol="https" type="https" location="DE" preference="98">{url}/repodata/repomd.xml</url>
  <url protocol="https" type="https" location="DE" preference="99">{gone}/repodata/repomd.xml</url>
 </resources></file></files>
</metalink>
"""


@pytest.mark.parametrize("kind", ["mirrorlist", "metalink"])
def test_a_mirror_list(rpm_bench: Bench, tiny_rpms: TinyRpm, vendor: str, keys: dict[str, Key], kind: str) -> None:
    gone = tiny_rpms.mirror.url("/gone")
    text = METALINK.format(url=vendor, gone=gone) if kind == "metalink" else f"{gone}\n{vendor}\n"
    tiny_rpms.serve(f"/{kind}?arch=x86_64", text.encode())
    tiny_rpms.serve("/lookup?op=get&search=0x1", keys["foreign"].public())
    listed, key = tiny_rpms.mirror.url(f"/{kind}?arch=$basearch"), tiny_rpms.mirror.url("/lookup?op=get&search=0x1")
    given = f"mirrorList: '{listed}', pkey: '{key}'"
    rpm_bench.write(f"packageRepositories:\n  - {{codename: vendor, {given}}}\n")
    said = f"note: this mirror is skipped: {gone}/repodata/repomd.xml"
    rpm_bench.oic("verify").succeeded("2 repositories, signatures good", said)
    assert chosen(rpm_bench) == ("2.0-1", "vendor")
    rpm_bench.oic("system").refused(NO_KERNEL)
    (repository,) = rpm_bench.cache.glob("layers/*/tree/etc/yum.repos.d/vendor.repo")
    assert f"\n{kind}={listed.replace('$basearch', 'x86_64')}\n" in repository.read_text()
    assert "baseurl" not in repository.read_text()


def test_of_a_key_with_its_fingerprint_no_other_counts(
    rpm_bench: Bench, tiny_rpms: TinyRpm, vendor: str, keys: dict[str, Key]
) -> None:
    tiny_rpms.serve("/vendor/keys", keys["own"].public() + keys["foreign"].public())
    given = "packageRepositories:\n  - {{codename: vendor, url: '{}', pkey: {{key: '{}/keys', fingerprint: '{}'}}}}\n"
    rpm_bench.write(given.format(vendor, vendor, keys["foreign"].fingerprint.lower()))
    ran = rpm_bench.oic("system")
    ran.refused(NO_KERNEL)
    assert "vendor trusts the key" not in ran.said, "it is not taken on first use"
    (key,) = rpm_bench.cache.glob("layers/*/tree/etc/pki/rpm-gpg/RPM-GPG-KEY-vendor")
    shown = subprocess.run(
        ["gpg", "--show-keys", "--with-colons", str(key)], check=True, capture_output=True, text=True
    )
    found = [line.split(":")[9] for line in shown.stdout.splitlines() if line.startswith("fpr")]
    assert found[0] == keys["foreign"].fingerprint
    assert keys["own"].fingerprint not in found
    rpm_bench.write(given.format(vendor, vendor, keys["own"].fingerprint))
    rpm_bench.oic("metadata").refused_in_one_line("/vendor/repodata/repomd.xml.asc", "signature")


def test_a_repository_of_debs_is_no_repository_of_rpms(rpm_bench: Bench, tiny_rpms: TinyRpm, vendor: str) -> None:
    tiny_rpms.serve("/debs/dists/stable/Release", b"Suite: stable\n")
    rpm_bench.write(recipe(tiny_rpms.mirror.url("/debs"), f"{vendor}/key"))
    rpm_bench.oic("metadata").refused_in_one_line("expected a repository, found no repomd.xml")
