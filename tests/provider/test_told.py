"""What apt and dnf of an image are told of the recipe's repositories, and that they understand it so."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from oic.errors import TrustError
from oic.ospackage.lock import LockedRepository
from oic.ospackage.store import Store
from oic.provider.armor import as_armor, as_binary
from oic.provider.deb import told as deb
from oic.provider.rpm.sources import recipe_sources
from oic.provider.told import ToldKey, ToldRepository

from .deb.apt import make_apt
from .deb.signed import Signer
from .deb.test_priorities_against_apt import Drawn, index_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signer]:
    made = Signer(home=tmp_path_factory.mktemp("k") / "own").make()
    yield made
    made.close()


def told(name: str, **fields: object) -> ToldRepository:
    given = {
        "name": name,
        "url": f"https://{name}.invalid/x",
        "mirror_list": "",
        "suite": "stable",
        "components": ("main",),
        "keys": (ToldKey(url="https://k.invalid/a"),),
        "trusted": False,
        "signed_metadata": True,
        "priority": 500,
        "allow_packages": (),
        **fields,
    }
    return ToldRepository(**given)  # type: ignore[arg-type]


SUITES = (("base", "1.0"), ("more", "2.0"))
BASE = LockedRepository(
    name="base", url="http://base.invalid/debian", suite="stable", components=(), signers=(), keys=(), trusted=False
)
"""The distribution's own."""


NO_TREE = Path("/nonexistent")


def for_apt(told: Sequence[ToldRepository], base: LockedRepository = BASE) -> dict[str, str]:
    return deb.recipe_sources(
        NO_TREE,
        told,
        [base, *(replace(BASE, name=one.name, url=one.url, suite=one.suite) for one in told)],
    )


def for_dnf(told: Sequence[ToldRepository], root: Path = NO_TREE) -> dict[str, str]:
    return recipe_sources(root, told, [replace(BASE, name=name) for name in ("edge-base", *(one.name for one in told))])


def test_apt_is_told_of_each_repository_with_its_own_keys() -> None:
    two = (ToldKey(url="a"), ToldKey(url="b"))
    files = for_apt([told("one", keys=two, components=("main", "contrib")), told("flat", suite="./", components=())])
    assert files["/etc/apt/sources.list.d/one.sources"] == (
        "Types: deb\nURIs: https://one.invalid/x\nSuites: stable\nComponents: main contrib\n"
        "Signed-By: /etc/apt/keyrings/one.gpg /etc/apt/keyrings/one-2.gpg\n"
    )
    assert "Components" not in files["/etc/apt/sources.list.d/flat.sources"]
    assert "/etc/apt/preferences.d/image" not in files, "both have the priority that apt gives without preferences"


def test_apt_is_told_that_a_repository_is_unsigned() -> None:
    (text,) = for_apt([told("one", trusted=True, keys=())]).values()
    assert "Trusted: yes" in text
    assert "Signed-By" not in text


def test_apt_has_the_priorities_and_allowed_packages_as_preferences() -> None:
    files = for_apt([told("one", priority=990), told("two", allow_packages=("tool", "lib*", "driver_2.4"))])
    assert files["/etc/apt/preferences.d/image"] == (
        'Package: *\nPin: origin "one.invalid"\nPin-Priority: 990\n\n'
        'Package: tool lib* driver\nPin: origin "two.invalid"\nPin-Priority: 500\n\n'
        'Package: *\nPin: origin "two.invalid"\nPin-Priority: -1\n'
    )


def test_apt_is_not_denied_what_the_first_part_of_a_version_allows() -> None:
    files = for_apt([told("one", allow_packages=("kernel-drivers-6.17.11", "agent-1.2-3", "tool-*"))])
    (allowed, _) = [line for line in files["/etc/apt/preferences.d/image"].splitlines() if line.startswith("Package:")]
    assert allowed == "Package: kernel-drivers-6.17.11 kernel-drivers agent-1.2-3 agent tool-*"


def test_two_repositories_on_one_host_are_told_apart_by_their_suites() -> None:
    files = for_apt(
        [told("one", url="https://h.invalid/a", suite="a", priority=600), told("two", url="https://h.invalid/b")]
    )
    assert "Pin: release a\n" in files["/etc/apt/preferences.d/image"]


def test_no_record_is_for_the_distribution_s_own_repositories_as_well() -> None:
    """Backports are on the mirror of the release: a record for its host would take the release away."""
    backports = told("backports", url=BASE.url, suite="stable-backports", allow_packages=("tool",))
    records = for_apt([backports])["/etc/apt/preferences.d/image"]
    assert "origin" not in records
    assert records.count("Pin: release stable-backports\n") == 2
    same_suite = told("more", url="http://base.invalid/more", allow_packages=("tool",))
    assert "/etc/apt/preferences.d/image" not in for_apt([same_suite])
    flat = told("flat", url="http://base.invalid/flat", suite="./", components=(), priority=900)
    assert "/etc/apt/preferences.d/image" not in for_apt([flat])


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt-get")
def test_apt_understands_a_record_for_a_suite(tmp_path: Path) -> None:
    """Both are on one host, that of file URLs: only the allowed package of the second has its priority."""
    packages = {name: [{"Package": word, "Version": version} for word in ("tool", "other")] for name, version in SUITES}
    case = Drawn(repositories=packages, priorities=dict.fromkeys(packages, 500), allowed={}, asked=[])
    store = Store(tmp_path / "store")
    apt = make_apt(tmp_path / "apt", index_of(case, store), store)
    more = told("more", url="file:/x", suite="more", priority=400, allow_packages=("tool-2.0",))
    files = for_apt([more], replace(BASE, url="file:/y", suite="base"))
    (apt.root / "etc/preferences").write_text(files["/etc/apt/preferences.d/image"])
    said = apt.run("apt-cache", "policy", "tool", "other").stdout
    found = re.findall(r"^(\w+):\n.*\n  Candidate: (\S+)\n  Version table:\n +(\S+) (\S+)\n", said, re.MULTILINE)
    assert found == [("tool", "1.0", "2.0", "400"), ("other", "1.0", "2.0", "-1")], said
    assert apt.install(["tool"]).packages == {"tool 1.0"}


def test_dnf_has_priorities_the_other_way_round() -> None:
    files = for_dnf(
        [told("base-like"), told("high", priority=900), told("higher", priority=901), told("same", priority=900)]
    )
    found = {path.rpartition("/")[2]: text for path, text in files.items()}
    numbers = {
        name: int(text.partition("priority=")[2].splitlines()[0]) if "priority=" in text else None
        for name, text in found.items()
    }
    assert numbers == {"base-like.repo": None, "high.repo": 49, "same.repo": 49, "higher.repo": 48}, (
        "tdnf's default is 50"
    )
    assert "gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-high" in found["high.repo"]
    assert "gpgcheck=1\nrepo_gpgcheck=1\n" in found["high.repo"]


EDGE = "[edge-next]\npriority=3\n\n[edge-base]\nname=Edge Base\npriority = 12\n"


def test_a_repository_of_the_recipe_ranks_by_the_number_that_the_base_has_in_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "etc/yum.repos.d").mkdir(parents=True)
    (tmp_path / "etc/yum.repos.d/edge.repo").write_text(EDGE)
    files = for_dnf([told("same"), told("high", priority=600), told("higher", priority=900)], tmp_path)
    numbers = {path.rpartition("/")[2]: text.partition("priority=")[2].splitlines()[0] for path, text in files.items()}
    assert numbers == {"same.repo": "12", "high.repo": "11", "higher.repo": "10"}, "edge-next is none of the build's"


@pytest.mark.skipif(shutil.which("dnf") is None, reason="needs dnf")
def test_dnf_reads_what_it_is_told(tmp_path: Path) -> None:
    words = ("tool-kit", "lib*", "kernel-6.12")
    files = for_dnf([told("one", priority=600, allow_packages=words), told("two", trusted=True, keys=())])
    for path, text in files.items():
        (tmp_path / path.rpartition("/")[2]).write_text(text)
    program = (
        "import dnf\nbase = dnf.Base()\nbase.conf.reposdir = ['.']\n"
        "base.conf.substitutions['releasever'] = '1'\nbase.read_all_repos()\n"
        "for repo in sorted(base.repos.iter_enabled(), key=lambda one: one.id):\n"
        "    print(repo.id, repo.priority, repo.gpgcheck, repo.repo_gpgcheck, *repo.includepkgs)\n"
    )
    ran = subprocess.run(
        ["/usr/bin/python3", "-I", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "one 49 True True tool-kit lib* kernel-6.12 kernel-6.12*\ntwo 99 False False\n"


def test_keys_change_between_armor_and_binary(signer: Signer) -> None:
    binary = (signer.home / "public.gpg").read_bytes()
    whole = as_binary(binary, where="a")
    assert not whole.startswith(b"-----")
    armored = as_armor(whole)
    assert as_binary(armored, where="a") == whole
    assert as_armor(armored) == armored
    assert as_binary(armored + armored, where="a") == whole + whole
    shown = subprocess.run(["gpg", "--show-keys"], input=armored, capture_output=True, check=True)
    assert signer.fingerprint.encode() in shown.stdout


@pytest.mark.skipif(shutil.which("rpmkeys") is None, reason="needs rpmkeys")
def test_rpm_imports_the_armor(signer: Signer, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(as_armor(as_binary((signer.home / "public.gpg").read_bytes(), where="a")))
    subprocess.run(["rpmkeys", "--dbpath", str(tmp_path / "db"), "--import", str(file)], check=True)


def test_armor_that_cannot_be_read_is_refused() -> None:
    body = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!!!\n-----END PGP PUBLIC KEY BLOCK-----\n"
    with pytest.raises(TrustError, match="expected an OpenPGP key, found armor that cannot be read"):
        as_binary(body, where="https://a.invalid/key")
