"""Where a distribution's repositories are: its own place, the recipe's mirror, or what the host's apt or dnf has."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oic.config.dnf_sources import read_repository
from oic.config.repositories import filled
from oic.config.repository import Key
from oic.errors import RecipeError
from oic.plan import plan

if TYPE_CHECKING:
    from oic.config.repository import Repository

    from .conftest import Complain, Load

ACME = """provider: rpm
release: "7"
architectures: {x86_64: x86_64}
mirror: https://acme.invalid/$releasever
repositories:
  - name: base
    path: os/{arch}
    mirrorList: https://acme.invalid/mirrors?release=$releasever&arch=$basearch
    hostRepositories: [acme, acme-base]
    keys: [repodata/repomd.xml.key, https://keys.invalid/acme.asc, /etc/keys/acme.asc]
    imageKey: /etc/pki/rpm-gpg/acme
tools: [core_tools]
"""
DEFAULTS = """disk:
  size: 1GiB
  partitions:
    - {id: esp, type: esp, size: 64MiB, fsType: fat32, mountPoint: /boot/efi}
    - {id: root, type: linux-root-amd64, end: "0", fsType: ext4, mountPoint: /}
systemConfig:
  bootloader: {bootType: efi, provider: systemd-boot}
  kernel: {packages: [kernel], cmdline: quiet, uki: true}
"""
RPM = "image: {name: small, version: 1.0}\ntarget: {os: acme, dist: acme7, arch: x86_64, imageType: raw}\n"


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data of a distribution that is nobody's, in a folder of one's own."""
    folder = tmp_path / "own/acme/acme7"
    folder.mkdir(parents=True)
    (folder / "distribution.yml").write_text(ACME)
    (folder / "raw-x86_64.yml").write_text(DEFAULTS)
    monkeypatch.setenv("OIC_DISTRIBUTIONS", str(tmp_path / "own"))
    return folder / "distribution.yml"


def host(root: Path, text: str, name: str = "acme.repo") -> None:
    (root / "etc/yum.repos.d").mkdir(parents=True, exist_ok=True)
    (root / "etc/yum.repos.d" / name).write_text(text)


def with_target(words: str) -> str:
    return RPM.replace("imageType: raw", f"imageType: raw, {words}")


def sources(repository: Repository) -> tuple[str, ...]:
    return tuple(key.source for key in repository.keys)


@pytest.mark.usefixtures("acme")
def test_the_distributions_own_place(load: Load) -> None:
    config = load("", head=RPM)
    (base,) = config.repositories
    assert plan(config, Path("/cache"))[0].name == "metadata"
    assert (base.url, base.suite, base.components) == ("https://acme.invalid/7/os/x86_64", "", ())
    assert base.mirror_list == "https://acme.invalid/mirrors?release=7&arch=x86_64"
    assert sources(base) == (
        f"{base.url}/repodata/repomd.xml.key",
        "https://keys.invalid/acme.asc",
        "/etc/keys/acme.asc",
    )
    assert (base.image_key, base.trusted) == ("/etc/pki/rpm-gpg/acme", False)


@pytest.mark.usefixtures("acme")
def test_a_mirror_of_the_recipes_is_used_alone_and_has_the_same_layout(load: Load) -> None:
    (base,) = load("", head=with_target("mirror: 'file:///srv/$releasever/'")).repositories
    assert (base.url, base.mirror_list) == ("file:///srv/7/os/x86_64", "")
    assert sources(base)[0] == "file:///srv/7/os/x86_64/repodata/repomd.xml.key"


@pytest.mark.usefixtures("acme")
def test_a_mirror_may_come_with_keys_of_its_own_or_with_none(load: Load) -> None:
    own = with_target("mirror: https://m.invalid, mirrorKeys: [/keys/a.asc, 'https://m.invalid/b']")
    assert sources(load("", head=own).repositories[0]) == ("/keys/a.asc", "https://m.invalid/b")
    pinned = with_target(f"mirror: https://m.invalid, mirrorKeys: [{{key: /k, fingerprint: {'ab cd ' * 10}}}]")
    assert load("", head=pinned).repositories[0].keys == (Key(source="/k", fingerprints=("ABCD" * 10,)),)
    unsigned = with_target("mirror: https://m.invalid, mirrorKeys: ['[trusted=yes]']")
    (base,) = load("", head=unsigned).repositories
    assert (base.keys, base.trusted) == ((), True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("mirrorKeys: [/k]", "target.mirrorKeys: expected target.mirror beside it, whose keys these are, found none"),
        (
            "mirror: https://m.invalid, mirrorKeys: [/k, '[trusted=yes]']",
            "target.mirrorKeys: expected either keys or [trusted=yes] for an unsigned repository, found both",
        ),
        ("mirror: https://m.invalid, mirrorKeys: []", "target.mirrorKeys: expected a list of key files or URLs, found"),
        ("mirror: https://m.invalid, mirrorKeys: [k]", "expected an http(s) or file URL, an absolute path or [trusted"),
        (
            "mirror: https://m.invalid, mirrorKeys: [{key: /k, fingerprint: 1234}]",
            "target.mirrorKeys[0].fingerprint: expected a fingerprint of 40 (or 64) hexadecimal digits, or a list",
        ),
        (
            f"mirror: https://m.invalid, mirrorKeys: [{{key: /k, fingerprint: [{'A' * 41}]}}]",
            "target.mirrorKeys[0].fingerprint[0]: expected a fingerprint of 40 (or 64) hexadecimal digits, found 'AAA",
        ),
        (
            f"mirror: https://m.invalid, mirrorKeys: [{{key: '[trusted=yes]', fingerprint: {'A' * 40}}}]",
            "target.mirrorKeys[0].key: expected an http(s) or file URL or an absolute path, found '[trusted=yes]'",
        ),
        (
            "mirror: https://m.invalid, mirrorKeys: [{key: /k}]",
            "target.mirrorKeys[0].fingerprint: expected a fingerprint of 40 (or 64) hexadecimal digits, or a list",
        ),
        ("mirror: https://me:secret@m.invalid", "target.mirror: expected a URL without user and password, as lock and"),
    ],
)
@pytest.mark.usefixtures("acme")
def test_a_mistake_about_mirrors_and_keys_is_one_line(words: str, said: str, complain: Complain) -> None:
    (line,) = complain("", head=with_target(words))
    assert said in line
    assert "secret" not in line


HOST = """[main]
[other]
baseurl=https://other.invalid
[acme-base]
name = Acme $releasever
enabled=%s
baseurl = ftp://old.invalid/
  https://host.invalid/$releasever/$basearch/$product/,
gpgkey=file:///etc/pki/acme.asc
       https://host.invalid/$product.asc
"""


@pytest.mark.usefixtures("acme")
def test_the_hosts_dnf_knows_the_place_and_its_keys(load: Load, tmp_path: Path) -> None:
    host(tmp_path, HOST % "1")
    (tmp_path / "etc/dnf/vars").mkdir(parents=True)
    (tmp_path / "etc/dnf/vars/product").write_text("anvil\n")
    (tmp_path / "etc/dnf/vars/releasever").write_text("the host's\n")
    (base,) = load("", head=with_target("mirror: host"), root=tmp_path).repositories
    assert (base.url, base.mirror_list) == ("https://host.invalid/7/x86_64/anvil", "")
    assert sources(base) == ("file:///etc/pki/acme.asc", "https://host.invalid/anvil.asc")


@pytest.mark.usefixtures("acme")
def test_the_hosts_mirror_list_does_as_well(load: Load, tmp_path: Path) -> None:
    host(tmp_path, "[acme]\nmirrorlist=https://host.invalid/list?arch=$basearch\ngpgkey=file:///k\n")
    (base,) = load("", head=with_target("mirror: host"), root=tmp_path).repositories
    assert base.mirror_list == "https://host.invalid/list?arch=x86_64"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected the repository acme or acme-base enabled among those of the host's dnf, found none"),
        (HOST % "0", "found none (give target.mirror: a base URL)"),
        (HOST % "1", "found https://host.invalid/7/x86_64/$product"),
        (
            "[acme]\nmetalink=https://x.invalid\n",
            "expected a baseurl or mirrorlist of the repository acme, found neither",
        ),
        ("no section\n", "found none (give target.mirror: a base URL)"),
    ],
)
@pytest.mark.usefixtures("acme")
def test_a_host_without_the_repository_is_told_so(text: str, said: str, load: Load, tmp_path: Path) -> None:
    host(tmp_path, text)
    with pytest.raises(RecipeError) as caught:
        load("", head=with_target("mirror: host"), root=tmp_path)
    assert said in str(caught.value)


@pytest.mark.skipif(shutil.which("dnf") is None, reason="needs dnf")
def test_dnf_reads_the_same_from_the_same_files(tmp_path: Path) -> None:
    host(tmp_path, HOST.replace("$product/", "") % "yes")
    host(tmp_path, "[acme]\nenabled=no\nbaseurl=https://off.invalid\n", "aa.repo")
    host(tmp_path, "[zz]\nmirrorlist = https://list.invalid/?a=$basearch\n", "zz.repo")
    script = """import sys, json, dnf
base = dnf.Base()
base.conf.reposdir = [sys.argv[1]]
base.conf.substitutions.update(releasever="7", basearch="x86_64")
base.read_all_repos()
found = base.repos.iter_enabled()
print(json.dumps({repo.id: [list(repo.baseurl), repo.mirrorlist, list(repo.gpgkey)] for repo in found}))
"""
    command = [*_pythons_dnf(), "-c", script, str(tmp_path / "etc/yum.repos.d")]
    theirs = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    words = {"releasever": "7", "basearch": "x86_64"}
    for name in ("acme", "acme-base", "other", "zz"):
        found = read_repository([name], tmp_path)
        assert (found is not None) == (name in theirs)
        if found:
            urls, mirror_list, keys = theirs[name]
            assert [filled(found.url, words)] == [url.rstrip("/") for url in urls if "ftp" not in url] or not urls
            assert filled(found.mirror_list, words) == (mirror_list or "")
            assert [key.replace("$product", "") for key in found.keys] == [key.replace("$product", "") for key in keys]


def _pythons_dnf() -> list[str]:
    """Return the interpreter that Debian's dnf runs under."""
    first = Path(shutil.which("dnf") or "").read_text().splitlines()[0]
    return first.removeprefix("#!").split()


def test_the_shipped_places(load: Load) -> None:
    def of(os_: str, dist: str) -> tuple[Repository, ...]:
        return load("", head=RPM.replace("os: acme", f"os: {os_}").replace("acme7", dist)).repositories

    (azure,) = of("azure-linux", "azl3")
    assert azure.url == "https://packages.microsoft.com/azurelinux/3.0/prod/base/x86_64"
    assert sources(azure) == (f"{azure.url}/repodata/repomd.xml.key",)
    assert azure.keys[0].fingerprints == ("2BC94FFF7015A5F28F1537AD0CD9FED33135CE90",)
    (edge,) = of("edge-microvisor-toolkit", "emt3")
    assert edge.url.endswith("/microvisor/rpms/3.0/base")
    assert all(key.fingerprints for key in edge.keys)
    assert (edge.signed_metadata, edge.priority, edge.further) == (False, 500, False)
    (aria,) = of("wind-river-elxr", "elxr12")
    assert (aria.url, aria.suite, aria.components) == (
        "https://mirror.elxr.dev/elxr",
        "aria",
        ("main", "non-free-firmware"),
    )
    assert sources(aria) == ("https://mirror.elxr.dev/elxr/public.gpg",)
    assert [entry.name for entry in of("redhat-compatible-distro", "el10")] == ["baseos", "appstream"]
    assert [entry.suite for entry in of("ubuntu", "ubuntu24")] == ["noble", "noble-updates", "noble-security"]


DATA = {
    "an unknown field": ("tools: [", "toolz: [", "toolz: expected a known key, found 'toolz'; did you mean 'tools'?"),
    "an unknown field of a repository": ("    path:", "    paht:", "expected a known key, found 'paht'"),
    "a deb suite without components": ("provider: rpm", "provider: deb", "a list of components, found nothing"),
    "a repository without keys": ("    keys:", "    imageKey:", "expected a list of key files or URLs, found nothing"),
    "a path above the mirror": ("os/{arch}", "../a/../{arch}", "expected a path below the mirror, or beside it"),
    "a field that is none": ("tools:", "notYet: {a b: x}\ntools:", "expected a recipe's field such as"),
}


@pytest.mark.parametrize("name", DATA)
def test_a_mistake_in_the_data_is_told_by_file_and_field(name: str, acme: Path, load: Load) -> None:
    old, new, said = DATA[name]
    text = ACME.replace("    imageKey: /etc/pki/rpm-gpg/acme\n", "") if new.startswith("    imageKey") else ACME
    acme.write_text(text.replace(old, new))
    with pytest.raises(RecipeError) as caught:
        load("", head=RPM)
    lines = [line for line in str(caught.value).splitlines() if said in line]
    assert lines
    assert all(line.startswith(f"{acme}:") for line in lines)


def test_what_a_distribution_is_without_is_noted_unless_the_recipe_sets_it(acme: Path, load: Load) -> None:
    acme.write_text(ACME + "notYet: {disk.artifacts: it is compressed, systemConfig.immutability: it is read-only}\n")
    said = "not yet as the public default of acme/acme7: it is"
    assert load("", head=RPM).notes == (f"{said} compressed", f"{said} read-only")
    disk = """disk:
  size: 2GiB
  partitions:
    - {id: esp, type: esp, size: 512MiB}
    - {id: root, size: 1GiB, fsType: ext4, mountPoint: /}
    - {id: hash, size: 9MiB}
"""
    assert load(disk, head=RPM).notes == (f"{said} compressed", f"{said} read-only")
    off = "systemConfig: {immutability: {enabled: false}}\n"
    assert load(disk + off, head=RPM).notes == (f"{said} compressed",)
    assert load(f"{disk}  artifacts: [{{type: raw}}]\n{off}", head=RPM).notes == ()


def test_a_deb_distribution_of_ones_own_is_data_only(acme: Path, load: Load) -> None:
    suites = "suite: anvil, components: [main, extra]"
    acme.write_text(
        f"provider: deb\nrelease: '7'\narchitectures: {{x86_64: amd64}}\nmirror: https://acme.invalid/deb\n"
        f"repositories: [{{name: anvil, {suites}, keys: [archive.gpg]}}]\ntools: [dosfstools]\n"
    )
    config = load("", head=RPM)
    assert sources(config.repositories[0]) == ("https://acme.invalid/deb/archive.gpg",)
    assert (config.distribution.provider, config.distribution.architecture) == ("deb", "amd64")
    assert len(plan(config, Path("/cache"))) > 1


@pytest.mark.usefixtures("acme")
def test_a_key_that_is_a_pipe_a_device_or_endless_holds_nothing_up(load: Load, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for file in (tmp_path / "pipe", Path("/dev/zero"), Path("/proc/kmsg"), tmp_path):
        (base,) = load("", head=with_target(f"mirror: https://m.invalid, mirrorKeys: ['{file}']")).repositories
        assert base.keys[0].source == str(file)
