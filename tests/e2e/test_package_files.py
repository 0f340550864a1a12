"""Repositories that are made of package files, through doit: files, directories, archives and URLs."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import ssl
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from net.mirror import Mirror, Served

from .further import make_package
from .test_recipe_repositories import packages_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from .bench import Bench
    from .tiny import Package

ASKED = "systemConfig: {packages: [gadget]}\n"


def entry(*files: str | dict[str, str], **fields: object) -> str:
    """Return a recipe with a repository of package files, and a package that only such a one has."""
    repository = {"packages": list(files), **fields}
    return f"packageRepositories: {json.dumps([repository])}\n{ASKED}"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def trust_in(bench: Bench) -> dict[str, str]:
    found: dict[str, str] = json.loads((bench.image / "trust.json").read_text())["verdicts"]["image"]
    return found


@pytest.fixture(scope="module")
def debs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Package]:
    """Return a gadget, a newer hello that the default list asks for, and packages for another architecture."""
    place = tmp_path_factory.mktemp("debs")
    return {
        "gadget": make_package(place, "gadget", "1", "Depends: hello"),
        "gadget2": make_package(place, "gadget", "2", "Depends: hello"),
        "hello": make_package(place, "hello", "9", architecture="all"),
        "arm": make_package(place, "gadget", "3", architecture="arm64"),
    }


@pytest.fixture
def folder(bench: Bench, debs: Mapping[str, Package]) -> Path:
    """Return a directory of two packages beside the recipe."""
    place = bench.place / "debs"
    place.mkdir()
    for name in ("gadget", "hello"):
        (place / debs[name].file).write_bytes(debs[name].data)
    (place / "README").write_text("read me")
    (place / "below").mkdir()
    (place / "below" / debs["gadget2"].file).write_bytes(debs["gadget2"].data)
    return place


@pytest.fixture
def server(tls: Path, bench: Bench) -> Iterator[Mirror]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls / "server.crt", tls / "server.key")
    bench.environment["OIC_CA"] = str(tls / "ca.crt")
    with Mirror(context) as mirror:
        yield mirror


def test_a_directory_is_a_repository(bench: Bench, folder: Path, debs: Mapping[str, Package]) -> None:
    bench.write(entry("debs", codename="mine"))
    said = "note: mine: nobody signed its package files; they are taken 2 as they were found"
    noted = "2 packages nobody signed, of the recipe's files: gadget, hello"
    bench.oic("verify").succeeded(said, "1 repositories, signatures good; 1 of package files", noted)
    assert packages_of(bench)["gadget"] == ("1", "mine"), "what is below the directory does not count"
    assert packages_of(bench)["hello"] == ("9", "mine")
    assert trust_in(bench)["gadget"] == f"unsigned: taken as it was found: debs/{debs['gadget'].file}"
    assert "signed by" in trust_in(bench)["other"]
    assert bench.oic("verify").said.count("-- ") == 5, "nothing runs again"
    (folder / debs["gadget"].file).unlink()
    (folder / debs["gadget2"].file).write_bytes(debs["gadget2"].data)
    bench.oic("verify").succeeded(".  collect:small", ".  solve:small")
    assert packages_of(bench)["gadget"] == ("2", "mine")


def test_what_is_collected_is_there_again_after_the_store_was_lost(bench: Bench, folder: Path) -> None:
    bench.write(entry("debs"))
    bench.oic("verify").succeeded()
    before = (bench.image / "lock.json").read_bytes()
    shutil.rmtree(bench.cache / "store")
    bench.oic("verify").succeeded(".  collect:small")
    assert (bench.image / "lock.json").read_bytes() == before
    assert json.loads(before)["repositories"][1]["url"] == "packages:///packages", "no path of this host is in the lock"
    shutil.move(folder, bench.place / "elsewhere")
    bench.write(entry(str(bench.place / "elsewhere")))
    bench.oic("verify").succeeded()
    assert packages_of(bench)["gadget"] == ("1", "packages")


@pytest.mark.parametrize("name", ["debs.tar", "debs.tar.gz", "debs.tgz", "debs.zip"])
def test_an_archive_is_a_repository(bench: Bench, folder: Path, debs: Mapping[str, Package], name: str) -> None:
    archive = bench.place / name
    if name.endswith(".zip"):
        with zipfile.ZipFile(archive, "w") as zipped:
            zipped.write(folder / debs["gadget"].file, "a/b/gadget.deb")
            zipped.writestr("a/arm.deb", debs["arm"].data)
    else:
        with tarfile.open(archive, "w" if name.endswith(".tar") else "w:gz") as tar:
            tar.add(folder / debs["gadget"].file, "a/b/gadget.deb")
            tar.add(folder / "README", "a/README")
            info = tarfile.TarInfo("a/arm.deb")
            info.size = len(debs["arm"].data)
            tar.addfile(info, io.BytesIO(debs["arm"].data))
    digest = sha256(archive.read_bytes())
    bench.write(entry({"url": name, "sha256": digest.upper()}))
    said = "note: packages: left out, as they are not for amd64: 1 for arm64"
    bench.oic("verify").succeeded(said, "taken 1 by the sha256 that the recipe has of their files")
    assert packages_of(bench)["gadget"] == ("1", "packages")
    assert trust_in(bench)["gadget"] == f"unsigned: the recipe has the sha256 {digest} of {name}: a/b/gadget.deb"
    bench.write(entry({"url": name, "sha256": "0" * 64}))
    bench.oic("verify").refused(
        f"expected a file of sha256 {'0' * 64}, found {digest}", "small.yml:8", "packages[0].url"
    )


def test_files_of_urls(bench: Bench, server: Mirror, debs: Mapping[str, Package]) -> None:
    server.answers["/gadget.deb"] = Served(debs["gadget"].data)
    server.answers["/hello.deb"] = Served(debs["hello"].data)
    pinned = {"url": server.url("/hello.deb"), "sha256": sha256(debs["hello"].data)}
    bench.write(entry(server.url("/gadget.deb"), pinned))
    bench.oic("verify").succeeded("taken 1 by the sha256 that the recipe has of their files and 1 as they were found")
    assert packages_of(bench)["gadget"] == ("1", "packages")
    assert packages_of(bench)["hello"] == ("9", "packages")
    server.answers["/gadget.deb"] = Served(debs["gadget2"].data)
    server.requests.clear()
    bench.write(entry(server.url("/gadget.deb"), pinned, codename="other"))
    bench.oic("verify").succeeded()
    assert packages_of(bench)["gadget"] == ("1", "other"), "it stays what it was"
    assert not server.requests
    bench.oic("update").succeeded("gadget 1 -> 2")
    bench.oic("verify").succeeded()
    assert packages_of(bench)["gadget"] == ("2", "other")
    server.answers["/hello.deb"] = Served(debs["gadget"].data)
    said = f"expected sha256 {pinned['sha256']}, found {sha256(debs['gadget'].data)}"
    bench.oic("update").refused(said, "/hello.deb")
    assert packages_of(bench)["gadget"] == ("2", "other")


def test_tls_need_not_be_verified_where_each_file_has_a_sha256(
    bench: Bench, server: Mirror, debs: Mapping[str, Package]
) -> None:
    del bench.environment["OIC_CA"]
    server.answers["/gadget.deb"] = Served(debs["gadget"].data)
    pinned = {"url": server.url("/gadget.deb"), "sha256": sha256(debs["gadget"].data)}
    bench.write(entry(pinned))
    bench.oic("verify").refused_in_one_line("expected a trusted TLS certificate")
    bench.write(entry(pinned, insecureSkipVerify=True))
    ran = bench.oic("verify")
    ran.succeeded("taken 1 by the sha256")
    assert "Warning" not in ran.said
    assert packages_of(bench)["gadget"] == ("1", "packages")
    bench.write(entry(pinned, server.url("/gadget.deb"), insecureSkipVerify=True))
    bench.oic("verify").refused(
        "packageRepositories[0].insecureSkipVerify: expected TLS to be verified, or the sha256 of"
    )


def test_priority_and_allow_list_hold(bench: Bench, folder: Path) -> None:  # noqa: ARG001 - it is there
    bench.write(entry("debs", priority=400))
    bench.oic("verify").succeeded()
    assert packages_of(bench)["hello"] == ("1", "tiny")
    bench.write(entry("debs", allowPackages=["gadget", "nothing"]))
    bench.oic("verify").succeeded("note: packages: nothing of allowPackages is none of its packages")
    assert packages_of(bench)["hello"] == ("1", "tiny")
    assert packages_of(bench)["gadget"] == ("1", "packages")


def test_a_dependency_comes_from_the_files_beside_what_needs_it(bench: Bench) -> None:
    place = bench.place / "near"
    make_package(place, "gadget", "1", "Depends: other")
    make_package(place, "other", "0.5")
    more = ASKED.replace("[gadget]", "[gadget], excludePackages: [hello, other]")
    bench.write(entry("near").replace(ASKED, more))
    bench.oic("solve").succeeded()
    assert packages_of(bench)["other"] == ("0.5", "packages"), "although the distribution has a newer one"


def test_a_kept_lock_names_the_files(bench: Bench, folder: Path, debs: Mapping[str, Package], server: Mirror) -> None:
    bench.write(entry("debs"))
    bench.oic("lock").succeeded()
    shutil.rmtree(bench.cache)
    bench.oic("verify").succeeded(".  collect:small")
    assert trust_in(bench)["gadget"].startswith("unsigned: taken as it was found: debs/")
    (folder / debs["gadget"].file).write_bytes(debs["gadget2"].data)
    bench.oic("verify").refused_in_one_line("the lock does not answer its recipe any more", "2 package files")
    (bench.place / "small.lock.json").unlink()
    server.answers["/gadget.deb"] = Served(debs["gadget"].data)
    bench.write(entry(server.url("/gadget.deb")))
    bench.oic("lock").succeeded()
    server.answers["/gadget.deb"] = Served(debs["gadget2"].data)
    shutil.rmtree(bench.cache)
    said = f"expected gadget 1 of sha256 {sha256(debs['gadget'].data)}, as the lock has it, among the package files"
    bench.oic("verify").refused_in_one_line(said)


def test_what_is_refused_when_the_recipe_is_read(bench: Bench, folder: Path) -> None:
    def refused(file: str | dict[str, str], *texts: str) -> None:
        bench.write(entry(file))
        bench.oic("verify").refused(*texts, "small.yml:8: packageRepositories[0].packages[0]")

    refused("nothing.deb", "found none at nothing.deb")
    bench.oic("validate").succeeded("not one that can be built yet")
    refused(
        "https://a.invalid/x.rpm", "expected a name that ends in one of .deb, .tar, .tar.gz, .tgz, .zip, found '.rpm'"
    )
    refused("https://a.invalid/x", "expected a name that ends in one of")
    refused("debs/README", "expected a name that ends in one of .deb")
    (folder / "evil.deb").symlink_to("/etc/passwd")
    refused("debs", "found a link that leads out of the directory: ", "evil.deb")
    (folder / "evil.deb").unlink()
    os.mkfifo(folder / "evil.deb")
    refused("debs", "found a directory, pipe or device", "evil.deb")
    refused("debs/evil.deb", "found a pipe or device")
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "x.rpm").write_bytes(b"")
    refused("debs", "expected .deb files in ", "/debs, found 1 .rpm")
    refused({"url": "debs", "sha256": "0" * 64}, "expected a file, as a directory has no sha256")


def test_what_is_refused_when_it_is_read(bench: Bench, debs: Mapping[str, Package], server: Mirror) -> None:
    place = bench.place

    def refused(*texts: str) -> None:
        bench.oic("verify").refused_in_one_line(*texts)
        assert not (bench.image / "collected.json").exists()

    (place / "a.deb").write_bytes(b"\x1b]0;not a package")
    bench.write(entry("a.deb"))
    refused("a.deb: expected a deb package, found a file that does not begin with !<arch>")
    (place / "a.deb").write_bytes(debs["arm"].data)
    refused("a.deb: expected a package for amd64, found gadget 3 arm64")
    with zipfile.ZipFile(place / "a.zip", "w") as zipped:
        zipped.writestr("arm.deb", debs["arm"].data)
    bench.write(entry("a.zip"))
    refused("expected packages for amd64 among its files, found 1 for arm64")
    with zipfile.ZipFile(place / "a.zip", "w") as zipped:
        zipped.writestr("README", "read me")
    refused("a.zip: expected an archive of .deb files, found none in it")
    with zipfile.ZipFile(place / "a.zip", "w") as zipped:
        zipped.writestr("../../a.deb", debs["gadget"].data)
    refused("a.zip: expected paths below the archive's root, found '../../a.deb'")
    other = make_package(place / "another", "gadget", "1", "Depends: libtiny1")
    (place / "a.deb").write_bytes(debs["gadget"].data)
    (place / "b.deb").write_bytes(other.data)
    bench.write(entry("a.deb", "b.deb"))
    refused("b.deb: expected one file of gadget 1 amd64, found two that differ", sha256(other.data), "in a.deb")
    bench.write(entry(server.url("/a.deb")))
    refused("expected a file, found HTTP 404", "/a.deb")
    server.answers["/a.deb"] = Served(b"<html>log in</html>")
    refused("expected a file of a repository, found a web page")
