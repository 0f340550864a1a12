"""The solver on golden data: each case is a sentence, an index, what is asked for and what must come of it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from ospackage.asked import asked

from oic.errors import SolveError
from oic.handover.packages import Index
from oic.ospackage.indexed import ComponentFile, DebRepository
from oic.ospackage.lock import FORMAT, Lock, read_lock
from oic.ospackage.store import Store
from oic.provider.deb.solve import solve
from oic.values import digest_of, to_json

DATA = Path(__file__).parents[2] / "data" / "solver"
CASES = sorted(path.stem for path in (DATA / "case").glob("*.json"))


def stanza(fields: dict[str, str]) -> str:
    whole = {
        "Architecture": "amd64",
        "Filename": f"pool/{fields['Package']}_{fields['Version']}.deb",
        "Size": "1",
        "SHA256": hashlib.sha256(f"{fields['Package']} {fields['Version']}".encode()).hexdigest(),
        **fields,
    }
    # Package comes first, as in every index.
    return "".join(f"{name}: {whole[name]}\n" for name in sorted(whole, key=lambda name: name != "Package"))


def index_of(name: str, store: Store, **changes: dict[str, Any]) -> Index:
    entries = []
    for repository, packages in json.loads((DATA / "index" / f"{name}.json").read_text())["repositories"].items():
        text = "\n".join(map(stanza, packages)).encode()
        part = ComponentFile(component="main", sha256=store.add(text), compression="", plain_size=len(text))
        entry = DebRepository(
            name=repository,
            url=f"https://{repository}.invalid/",
            suite="stable",
            components=("main",),
            priority=0,
            allow_packages=(),
            signers=("AB" * 20,),
            trusted=False,
            keys=(),
            documents=(),
            group="",
            date=datetime(2026, 1, 1, tzinfo=UTC),
            valid_until=None,
            packages=(part,),
        )
        entries.append(replace(entry, **changes.get(repository, {})))
    return Index(architecture="amd64", repositories=tuple(entries))


def solved(tmp_path: Path, names: list[str], **words: Any) -> Lock:
    store = Store(tmp_path)
    changes = words.pop("changes", {})
    return solve(index_of("small", store, **changes), asked(*names, **{"essential": False, **words}), store)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, tmp_path: Path) -> None:
    case = json.loads((DATA / "case" / f"{name}.json").read_text())
    words = {word: case.get(word, False) for word in ("essential", "recommends")}
    if "expect" in case:
        packages = solved(tmp_path, case["names"], **words).sets["image"]
        found = {package.name: f"{package.name} {package.version}" for package in packages}
        assert sorted(found) == sorted(entry.split()[0] for entry in case["expect"]), case["what"]
        assert [entry for entry in case["expect"] if " " in entry] == [
            found[entry.split()[0]] for entry in case["expect"] if " " in entry
        ], case["what"]
        return
    with pytest.raises(SolveError) as caught:
        solved(tmp_path, case["names"], **words)
    for text in case["problem"]:
        assert text in str(caught.value), case["what"]


def test_dependencies_come_before_what_needs_them(tmp_path: Path) -> None:
    packages = solved(tmp_path, ["app", "extra", "script"], essential=True).sets["image"]
    place = {package.name: number for number, package in enumerate(packages)}
    assert place["libc"] < place["base"]
    assert place["libc"] < place["extra"]
    assert place["mta-a"] < place["app"]
    assert place["interpreter"] < place["script"]


def test_the_lock_says_why_and_from_where(tmp_path: Path) -> None:
    lock = solved(tmp_path, ["app", "moved=2"])
    packages = {package.name: package for package in lock.sets["image"]}
    assert packages["app"].requested == ("app",)
    assert packages["moved"].requested == ("moved=2",)
    assert packages["mta-a"].requested == ()
    assert [(entry.kind, entry.relation, entry.package) for entry in packages["app"].requires] == [
        ("Depends", "mta-a | mta", "mta-a")
    ]
    assert packages["moved"].repository == "updates"
    assert packages["moved"].url == "https://updates.invalid/pool/moved_2.deb"
    assert lock.request == digest_of(lock.asked)


def test_a_lock_survives_its_file(tmp_path: Path) -> None:
    lock = solved(tmp_path, ["app"], essential=True)
    lock = replace(lock, sets={**lock.sets, "tools": ()})
    assert read_lock({"format": FORMAT, **json.loads(to_json(lock))}) == lock


def test_the_order_of_the_lock_does_not_depend_on_the_order_of_the_specs(tmp_path: Path) -> None:
    one, other = (
        solved(tmp_path, names).sets for names in (["script", "extra", "kernel-6.1"], ["kernel-6.1", "extra", "script"])
    )
    assert one == other


def test_problems_of_both_sets_are_reported(tmp_path: Path) -> None:
    store = Store(tmp_path)
    request = asked("broken", essential=False, tools=["nono"])
    with pytest.raises(SolveError) as caught:
        solve(index_of("small", store), request, store)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == ["image", "tools"]


def test_the_tools_set_has_no_essential_or_recommended_packages(tmp_path: Path) -> None:
    store = Store(tmp_path)
    request = asked("extra", recommends=True, tools=["with-extras"])
    lock = solve(index_of("small", store), request, store)
    assert [package.name for package in lock.sets["tools"]] == ["with-extras"]


@pytest.mark.parametrize(
    ("changes", "version"),
    [
        ({"main": {"priority": 10}}, "1"),
        ({"updates": {"priority": -1}}, "1"),
        ({"updates": {"allow_packages": ("old-*",)}}, "1"),
        ({"updates": {"allow_packages": ("mov*",)}}, "2"),
    ],
)
def test_priority_and_allowed_packages_decide_before_the_version(
    changes: dict[str, Any], version: str, tmp_path: Path
) -> None:
    packages = solved(tmp_path, ["moved"], changes=changes).sets["image"]
    assert [package.version for package in packages] == [version]


def test_a_set_is_taken_from_the_repositories_that_it_may_use(tmp_path: Path) -> None:
    """As the tools are the distribution's own, whatever another repository of the recipe has of the same name."""
    request = asked("moved", essential=False, tools=["moved"])
    sets = {**request.sets, "tools": replace(request.sets["tools"], repositories=("main",))}
    store = Store(tmp_path)
    lock = solve(index_of("small", store, updates={"priority": 10}), replace(request, sets=sets), store)
    assert [f"{one.version} of {one.repository}" for one in lock.sets["image"]] == ["2 of updates"]
    assert [f"{one.version} of {one.repository}" for one in lock.sets["tools"]] == ["1 of main"]
    assert read_lock({"format": FORMAT, **json.loads(to_json(lock))}) == lock
