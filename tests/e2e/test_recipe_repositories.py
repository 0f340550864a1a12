"""Repositories of a recipe, through doit: which package of which repository, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .further import make_package, serve_flat, serve_suite

if TYPE_CHECKING:
    from pathlib import Path

    from provider.deb.signed import Signer

    from .bench import Bench
    from .tiny import Tiny


def entry(url: str, codename: str, **fields: object) -> str:
    """Return a recipe with one repository besides the distribution's."""
    lines = [f"  - codename: {json.dumps(codename)}", f"    url: {url}"]
    lines += [f"    {name}: {json.dumps(value)}" for name, value in fields.items()]
    return "\n".join(["packageRepositories:", *lines, ""])


def packages_of(bench: Bench) -> dict[str, tuple[str, str]]:
    """Return version and repository of each package of the image."""
    packages = json.loads((bench.image / "lock.json").read_text())["sets"]["image"]
    return {one["name"]: (one["version"], one["repository"]) for one in packages}


@pytest.fixture
def key(signers: dict[str, Signer]) -> str:
    """Return the path of the key of the further repositories, which is none of the distribution's."""
    return str(signers["foreign"].home / "public.gpg")


@pytest.fixture
def vendor(tiny: Tiny, signers: dict[str, Signer], tmp_path: Path) -> str:
    """Serve a suite ``vendor``: a newer hello with an older library, and a package that only it has."""
    place = tmp_path / "vendor"
    contrib = [make_package(place, "gadget", "1", "Depends: hello")]
    main = [
        make_package(place, "hello", "5", "Depends: libtiny1"),
        make_package(place, "libtiny1", "0.5"),
        make_package(place, "other", "0.5", "Provides: greeter"),
    ]
    return serve_suite(tiny, "/vendor", "vendor", {"main": main, "contrib": contrib}, signers["foreign"])


def test_without_a_priority_the_newest_version_wins(bench: Bench, vendor: str, key: str) -> None:
    bench.write(entry(vendor, "vendor", pkey=key))
    bench.oic("verify").succeeded("2 repositories, signatures good")
    found = packages_of(bench)
    assert found["hello"] == ("5", "vendor")
    assert found["other"] == ("1", "tiny")
    assert found["libtiny1"] == ("1", "tiny"), "core needs it first, and the vendor's would not do"


@pytest.mark.parametrize(
    ("priority", "hello", "other"),
    [
        (0, ("5", "vendor"), ("1", "tiny")),
        (500, ("5", "vendor"), ("1", "tiny")),
        (499, ("1", "tiny"), ("1", "tiny")),
        (100, ("1", "tiny"), ("1", "tiny")),
        (990, ("5", "vendor"), ("0.5", "vendor")),
        (1001, ("5", "vendor"), ("0.5", "vendor")),
    ],
)
def test_a_higher_priority_comes_before_a_newer_version(
    bench: Bench, vendor: str, key: str, priority: int, hello: tuple[str, str], other: tuple[str, str]
) -> None:
    more = "systemConfig: {packages: [gadget]}\n"
    repository = entry(vendor, "vendor", pkey=key, component="main contrib", priority=priority)
    bench.write(repository + more)
    bench.oic("verify").succeeded()
    found = packages_of(bench)
    assert (found["hello"], found["other"]) == (hello, other)
    assert found["gadget"] == ("1", "vendor"), "which only it has, whatever its priority"


def test_a_repository_of_negative_priority_gives_nothing(bench: Bench, vendor: str, key: str) -> None:
    bench.write(entry(vendor, "vendor", pkey=key, priority=-1))
    bench.oic("solve").succeeded()
    assert {repository for _, repository in packages_of(bench).values()} == {"tiny"}
    gadget = "systemConfig: {packages: [gadget]}\n"
    bench.write(entry(vendor, "vendor", pkey=key, priority=-1, component="main contrib") + gadget)
    bench.oic("solve").refused_in_one_line("there is no package gadget")


@pytest.mark.parametrize(
    ("allowed", "hello", "other"),
    [
        (["hello"], "vendor", "tiny"),
        (["hel*"], "vendor", "tiny"),
        (["hello_5"], "vendor", "tiny"),
        (["hello_4", "oth*"], "tiny", "vendor"),
        (["oth?r"], "tiny", "vendor"),
        (["[a-h]*"], "vendor", "tiny"),
    ],
)
def test_only_allowed_packages_are_taken(
    bench: Bench, vendor: str, key: str, allowed: list[str], hello: str, other: str
) -> None:
    bench.write(entry(vendor, "vendor", pkey=key, priority=990, allowPackages=allowed))
    bench.oic("solve").succeeded()
    found = packages_of(bench)
    assert (found["hello"][1], found["other"][1]) == (hello, other)


def test_an_allowed_package_that_is_not_there_is_told(bench: Bench, vendor: str, key: str) -> None:
    bench.write(entry(vendor, "vendor", pkey=key, allowPackages=["hello_4", "hello"]))
    bench.oic("solve").succeeded("note: vendor: hello_4 of allowPackages is none of its packages")
    bench.write(entry(vendor, "vendor", pkey=key, allowPackages=["hello_4", "nothing*"]))
    said = "note: vendor: nothing is taken from it, as it has no package of its allowPackages: hello_4 nothing*"
    bench.oic("solve").succeeded(said)


def test_a_dependency_comes_from_the_repository_of_what_needs_it(
    bench: Bench, tiny: Tiny, signers: dict[str, Signer], key: str, tmp_path: Path
) -> None:
    place = tmp_path / "near"
    near = [make_package(place, "gadget", "1", "Depends: other"), make_package(place, "other", "0.5")]
    url = serve_suite(tiny, "/near", "near", {"main": near}, signers["foreign"])
    bench.write(entry(url, "near", pkey=key) + "systemConfig: {packages: [gadget]}\n")
    bench.oic("solve").succeeded()
    assert packages_of(bench)["other"] == ("1", "tiny"), "the default list asks for it by name"
    lists = "systemConfig: {packages: [gadget], excludePackages: [hello, other]}\n"
    bench.write(entry(url, "near", pkey=key) + lists)
    bench.oic("solve").succeeded()
    assert packages_of(bench)["other"] == ("0.5", "near")
    bench.write(entry(url, "near", pkey=key, priority=400) + lists)
    bench.oic("solve").succeeded()
    assert packages_of(bench)["other"] == ("1", "tiny"), "of another priority"


def test_flat_repositories_signed_and_not(
    bench: Bench, tiny: Tiny, signers: dict[str, Signer], key: str, tmp_path: Path
) -> None:
    hello = [make_package(tmp_path / "flat", "hello", "7")]
    url = serve_flat(tiny, "/flat/signed", hello, signers["foreign"])
    bench.write(entry(tiny.mirror.url("/flat"), "signed/", pkey=key))
    bench.oic("solve").succeeded("2 repositories, signatures good")
    assert packages_of(bench)["hello"][0] == "7"
    bench.write(entry(url, "./", pkey=key))
    bench.oic("download", "verify").succeeded()
    assert packages_of(bench)["hello"][0] == "7"
    url = serve_flat(tiny, "/flat/bare", hello, None)
    bench.write(entry(url, "./", pkey="[trusted=yes]"))
    bench.oic("verify").succeeded("1 packages nobody signed, by [trusted=yes] of the recipe: hello", "1 unsigned")
    bench.write(entry(url, "./", pkey=key))
    bench.oic("metadata").refused_in_one_line("expected a Release file, found neither InRelease nor Release", url)


def test_what_is_refused(bench: Bench, tiny: Tiny, vendor: str, key: str, signers: dict[str, Signer]) -> None:
    bench.write(entry(vendor, "vendor", pkey=str(signers["archive"].home / "public.gpg")))
    bench.oic("metadata").refused_in_one_line("/vendor/dists/vendor/InRelease", "signature")
    bench.write(entry(vendor, "vendor", pkey=key, component="main extra"))
    bench.oic("metadata").refused_in_one_line(
        "expected an index extra/binary-amd64/Packages, found none; components: main, contrib"
    )
    bench.write(entry(vendor, "venda", pkey=key))
    bench.oic("metadata").refused_in_one_line("are the URL and the suite (codename) right?", "/vendor/dists/venda")
    tiny.serve("/rpms/repodata/repomd.xml", b"<repomd/>")
    bench.write(entry(tiny.mirror.url("/rpms"), "vendor", pkey=key))
    bench.oic("metadata").refused_in_one_line("expected a repository of debs, found one of rpms")
    serve_suite(tiny, "/arm", "arm", {"main": []}, signers["foreign"], Architectures="arm64")
    bench.write(entry(tiny.mirror.url("/arm"), "arm", pkey=key))
    bench.oic("metadata").refused_in_one_line("expected packages for amd64, found arm64")
    bench.write(entry("https://nowhere.invalid/x", "vendor", pkey=key))
    bench.oic("metadata").refused_in_one_line("nowhere.invalid")
    bench.write(entry(vendor, "vendor", pkey="<PUBLIC_KEY_URL>"))
    bench.oic("metadata").refused("expected a key in place of the placeholder")


def test_two_entries_of_one_codename_and_one_of_the_distribution(
    bench: Bench, vendor: str, key: str, tiny: Tiny, signers: dict[str, Signer], tmp_path: Path
) -> None:
    more = [make_package(tmp_path / "second", "hello", "6")]
    second = serve_suite(tiny, "/second", "vendor", {"main": more}, signers["foreign"])
    third = [make_package(tmp_path / "third", "gadget", "3")]
    third_url = serve_suite(tiny, "/third", "tiny", {"main": third}, signers["foreign"])
    entries = [(vendor, "vendor"), (second, "vendor"), (third_url, "tiny")]
    bodies = [entry(url, name, pkey=key).partition("\n")[2] for url, name in entries]
    bench.write("\n".join(["packageRepositories:", *bodies, "systemConfig: {packages: [gadget]}"]))
    bench.oic("verify").succeeded("4 repositories, signatures good")
    found = packages_of(bench)
    assert found["hello"] == ("6", "vendor-2")
    assert found["gadget"] == ("3", "tiny-2")


def test_a_kept_lock_is_held_against_the_repositories_of_the_recipe(bench: Bench, vendor: str, key: str) -> None:
    bench.write(entry(vendor, "vendor", pkey=key))
    bench.oic("lock").succeeded()
    bench.oic("verify").succeeded()
    bench.write(entry(vendor, "vendor", pkey=key, priority=990))
    bench.oic("solve").refused_in_one_line("repositories was", "priority 500", "priority 990")
