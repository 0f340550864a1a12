"""Repositories of each kind in a recipe, served over TLS: an image is built from them, the same whatever comes first.

After an edit of one of them, exactly the listed stages run.
"""

from __future__ import annotations

import io
import shutil
import ssl
import tarfile
import time
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from e2e.further import make_package, serve_flat, serve_suite
from e2e.tiny import Package, Tiny
from net.mirror import Mirror
from provider.deb.signed import Signer
from standin.serve import certificate

from .conftest import outputs_of
from .families import DEB, SOLVED, TREE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from net.mirror import Answer, Request

    from .conftest import Built
    from .families import Recipe
    from .place import Place

pytestmark = [pytest.mark.mirror, pytest.mark.slow]

NAMES = ("oic-flat", "oic-main", "oic-contrib", "oic-zip", "oic-tar", "oic-directory")
RESOLVED = {"metadata", *SOLVED, "evidence"}


@dataclass(frozen=True, kw_only=True)
class Further:
    """The repositories as a recipe names them, the server, its authority, and a package to replace another by."""

    entries: list[dict[str, Any]]
    mirror: Mirror
    ca: Path
    packages: dict[str, Package]
    newer: Package

    def recipe(self, place: Place) -> Recipe:
        """Return the recipe of the family with these repositories, whose directory is put beside it."""
        for name in ("debs", "elsewhere"):
            shutil.rmtree(place.root / name, ignore_errors=True)
        (place.root / "debs").mkdir()
        package = self.packages["oic-directory"]
        (place.root / "debs" / package.file).write_bytes(package.data)
        recipe = place.family.recipe
        recipe["systemConfig"]["packages"] = list(NAMES)
        recipe["packageRepositories"] = [dict(entry) for entry in self.entries]
        place.environment["OIC_CA"] = str(self.ca)
        return recipe


@pytest.fixture(scope="module")
def further(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Further]:
    folder = tmp_path_factory.mktemp("f")
    certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    packages = {name: make_package(folder, name, "1", architecture="all") for name in NAMES}
    signer = Signer(home=folder / "k").make()
    with Mirror(context) as mirror:
        tiny = Tiny(mirror=mirror, packages={}, signer=signer)
        key = {"pkey": mirror.url("/key.gpg")}
        tiny.serve("/key.gpg", (signer.home / "public.gpg").read_bytes())
        flat = serve_flat(tiny, "/flat", [packages["oic-flat"]], signer)
        components = {"main": [packages["oic-main"]], "contrib": [packages["oic-contrib"]]}
        suite = serve_suite(tiny, "/suite", "vendor", components, signer)
        tiny.serve("/a.zip", zip_of(packages["oic-zip"]))
        tiny.serve("/a.tgz", tar_of(packages["oic-tar"]))
        entries: list[dict[str, Any]] = [
            {"codename": "./", "url": flat, **key},
            {"codename": "vendor", "url": suite, "component": "main contrib", "priority": 600, **key},
            {"codename": "zipped", "packages": [mirror.url("/a.zip"), mirror.url("/a.tgz")]},
            {"codename": "beside", "packages": ["debs"]},
        ]
        newer = make_package(folder / "newer", "oic-directory", "2", architecture="all")
        yield Further(entries=entries, mirror=mirror, ca=folder / "ca.crt", packages=packages, newer=newer)
    signer.close()


def zip_of(package: Package) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"packages/{package.file}", package.data)
    return file.getvalue()


def tar_of(package: Package) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        info = tarfile.TarInfo(f"packages/{package.file}")
        info.size = len(package.data)
        archive.addfile(info, io.BytesIO(package.data))
    return file.getvalue()


@pytest.fixture(scope="module")
def done(builds: Callable[[Any], Built], further: Further) -> Callable[[], Place]:
    """Return a function that returns the place in the state after a build from these repositories, built once."""
    snapshots: list[Path] = []

    def restored() -> Place:
        built = builds(DEB)
        built.place.restore(snapshots[0] if snapshots else built.snapshot)
        built.place.write(further.recipe(built.place))
        if not snapshots:
            built.place.doit("build").succeeded()
            snapshots.append(built.snapshot.with_name("further"))
            built.place.keep(snapshots[0])
        return built.place

    return restored


def test_the_tree_has_the_packages_of_each(done: Callable[[], Place], further: Further) -> None:
    place = done()
    for name in NAMES:
        (content,) = place.cache.glob(f"layers/*/tree/usr/share/{name}/content")
        assert content.read_text() == f"{name} 1 {further.ca.parent.name}\n"
    status = content.parents[3] / "var/lib/dpkg/status"
    assert [f"Package: {name}\nStatus: install ok installed\n" in status.read_text() for name in NAMES] == [True] * 6
    assert place.doit("build").succeeded().ran == []


def delayed(answer: Answer, seconds: float) -> Answer:
    def answer_late(request: Request) -> None:
        time.sleep(seconds)
        answer(request)

    return answer_late


def test_the_order_of_downloads_makes_no_difference(
    done: Callable[[], Place], further: Further, tmp_path: Path
) -> None:
    expected = outputs_of(done())
    answers = dict(further.mirror.answers)
    for number, (path, answer) in enumerate(sorted(answers.items())):
        further.mirror.answers[path] = delayed(answer, 0.4 * (number % 5))
    elsewhere = done().another(tmp_path / "elsewhere")
    elsewhere.write(further.recipe(elsewhere))
    try:
        elsewhere.doit("build").succeeded()
    finally:
        further.mirror.answers.update(answers)
    found = outputs_of(elsewhere)
    assert {name for name in expected if found[name] != expected[name]} == set()


def no_package(_: list[dict[str, Any]], debs: Path, further: Further) -> None:
    (debs / "README").write_text("read me")
    (debs / further.packages["oic-directory"].file).touch()


def another_file(_: list[dict[str, Any]], debs: Path, further: Further) -> None:
    (debs / further.packages["oic-directory"].file).unlink()
    (debs / further.newer.file).write_bytes(further.newer.data)


def another_place(entries: list[dict[str, Any]], debs: Path, _: Further) -> None:
    debs.rename(debs.with_name("elsewhere"))
    entries[3]["packages"] = ["elsewhere"]


def setting(place: int, **fields: object) -> Callable[[list[dict[str, Any]], Path, Further], None]:
    """Return an edit of fields of one of the repositories."""

    def edit(entries: list[dict[str, Any]], _debs: Path, _further: Further) -> None:
        entries[place].update(fields)

    return edit


@pytest.mark.parametrize(
    ("change", "ran"),
    [
        pytest.param(no_package, set(), id="another file in the directory"),
        pytest.param(setting(2, insecureSkipVerify=False), set(), id="insecureSkipVerify"),
        pytest.param(another_file, {"collect", *RESOLVED, *TREE, "initrd"}, id="a newer package in the directory"),
        pytest.param(another_place, {"collect", *RESOLVED}, id="another directory"),
        pytest.param(setting(2, priority=700), RESOLVED, id="priority"),
        pytest.param(setting(2, allowPackages=["oic-*"]), RESOLVED, id="allowPackages"),
        pytest.param(setting(1, priority=700), {*RESOLVED, "system"}, id="priority that an image with apt knows"),
        pytest.param(setting(2, codename="renamed"), {"collect", *RESOLVED, "system"}, id="codename"),
    ],
)
def test_an_edit_runs_exactly_these_stages(
    change: Callable[[list[dict[str, Any]], Path, Further], None],
    ran: set[str],
    done: Callable[[], Place],
    further: Further,
) -> None:
    place = done()
    recipe = further.recipe(place)
    change(recipe["packageRepositories"], place.root / "debs", further)
    place.write(recipe)
    assert place.doit("build").succeeded().stages() == ran
    assert place.doit("build").succeeded().ran == []
