"""What the lock says of a solved set, and what is said where there is none: dnf decides which packages are in it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from ospackage.asked import asked

from oic.config.repository import Repository
from oic.errors import SolveError
from oic.ospackage.graph import why
from oic.ospackage.http import HttpFetcher
from oic.ospackage.lock import FORMAT, read_lock
from oic.ospackage.store import Store
from oic.provider.protocol import Previous
from oic.provider.rpm.metadata import read_metadata
from oic.provider.rpm.solve import solve
from oic.values import to_json

from .repodata import write_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from oic.handover.packages import Index
    from oic.ospackage.lock import Lock
    from oic.ospackage.locked import Request

    Ask = Callable[..., Lock]

PROJECT = Path(__file__).parents[3]
PACKAGES = [
    {"nevra": "app-1:2.0-3", "requires": ["libc.so.6()(64bit)", "tool >= 1", "(extra if tool)"], "pre": ["users"]},
    {"nevra": "libc-2-1", "provides": ["libc.so.6()(64bit)"], "requires": ["libc-common = 2"]},
    {"nevra": "libc-common-2-1.noarch", "requires": ["libc"]},
    {"nevra": "tool-1-1", "recommends": ["extra", "tool-doc", "missing"]},
    "tool-doc-1-1.noarch",
    "extra-1-1",
    "users-1-1",
    {"nevra": "app-lang-1-1", "supplements": ["app"]},
    {"nevra": "bad-1-1", "requires": ["tool >= 7", "nowhere"]},
    {"nevra": "worse-1-1", "requires": ["bad"], "conflicts": ["tool"]},
    {"nevra": "odd+name-1~rc1^git-1", "provides": ["odd"]},
    "foreign-1-1.i686",
    {"nevra": "needs-foreign-1-1", "requires": ["foreign"]},
    "both-2-1.i686",
    "both-1-1",
    "source-1-1.src",
]


def request(*words: str, weak: bool = False, tools: Sequence[str] | None = None) -> Request:
    return asked(*words, architecture="x86_64", recommends=weak, tools=tools)


def index_of(store: Store, folder: Path, packages: list[Any] = PACKAGES, **changes: Any) -> Index:
    repository = Repository(name="base", url=write_repository(folder, packages), keys=(), trusted=True, **changes)
    with HttpFetcher() as fetcher:
        return read_metadata([repository], "x86_64", fetcher, store, Previous()).index


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    store = Store(tmp_path / "store")
    index = index_of(store, tmp_path / "base")
    return lambda *words, **options: solve(index, request(*words, **options), store)


def packages(lock: Lock, name: str = "image") -> dict[str, Any]:
    return {one.name: one for one in lock.sets[name]}


KERNELS = ["kernel-0:6.6.1-1", "kernel-1:6.6.12-1", "kernel-6.12.3-1", "kernel-rt-6.6.9-1", "kernel-doc-1-1.noarch"]


@pytest.mark.parametrize(
    ("word", "chosen"),
    [
        ("kernel@6.6", ["kernel 1:6.6.12-1"]),
        ("kernel@6.6.1", ["kernel 6.6.1-1"]),
        ("kernel@6.12.3-1", ["kernel 6.12.3-1"]),
        ("kernel*@6.6", ["kernel 1:6.6.12-1", "kernel-rt 6.6.9-1"]),
        ("kernel-6.6.1@6.6", ["kernel 6.6.1-1"]),
        ("kernel-rt-6.6.9-1@6.6", ["kernel-rt 6.6.9-1"]),
        ("kernel-6.6.1*@6.6", ["kernel 1:6.6.12-1"]),
    ],
)
def test_a_series_takes_the_newest_version_that_begins_with_it(word: str, chosen: list[str], tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    lock = solve(index_of(store, tmp_path / "base", KERNELS), request(word), store)
    assert sorted(f"{one.name} {one.version}" for one in lock.sets["image"]) == chosen


def test_a_series_that_is_gone_says_what_there_is(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    index = index_of(store, tmp_path / "base", KERNELS)
    with pytest.raises(SolveError) as caught:
        solve(index, request("kernel@6.1", "nothing@1", "kernel-6.6.1@6.12", "kernel-6.6.5@6.6"), store)
    hint = "(systemConfig.kernel.version says which)"
    there = "kernel 6.6.12-1, kernel 6.12.3-1, kernel 6.6.1-1"
    assert str(caught.value).splitlines() == [
        f"image: expected kernel of a version that begins with 6.1, found {there} {hint}",
        f"image: expected nothing of a version that begins with 1, found no such package {hint}",
        f"image: expected kernel-6.6.1 of a version that begins with 6.12, found kernel 6.6.1-1 {hint}",
        "image: expected kernel in version 6.6.5, found 6.6.12-1, 6.12.3-1, 6.6.1-1",
    ]


def test_the_lock_has_all_fields_of_a_package(ask: Ask, tmp_path: Path) -> None:
    lock = ask("app", "odd+name", tools=["tool"])
    app, odd = packages(lock)["app"], packages(lock)["odd+name"]
    assert (app.name, app.version, app.architecture, app.repository) == ("app", "1:2.0-3", "x86_64", "base")
    assert app.location == "Packages/app-2.0-3.x86_64.rpm"
    assert app.url == f"file://{tmp_path}/base/Packages/app-2.0-3.x86_64.rpm"
    assert (odd.version, odd.url) == (
        "1~rc1^git-1",
        f"file://{tmp_path}/base/Packages/odd+name-1~rc1^git-1.x86_64.rpm",
    )
    assert app.size == len("app-2.0-3.x86_64")
    assert (app.essential, app.requested) == (False, ("app",))
    assert packages(lock)["libc"].requested == ()
    assert list(packages(lock, "tools")) == ["tool"]
    assert (lock.repositories[0].trusted, lock.repositories[0].keys) == (True, ())
    assert read_lock({"format": FORMAT, **json.loads(to_json(lock))}) == lock


def test_every_dependency_names_the_package_that_satisfies_it(ask: Ask) -> None:
    edges = [(edge.kind, edge.relation, edge.package) for edge in packages(ask("app"))["app"].requires]
    assert edges == [
        ("Requires(pre)", "users", "users"),
        ("Requires", "libc.so.6()(64bit)", "libc"),
        ("Requires", "tool >= 1", "tool"),
        ("Requires", "(extra if tool)", "extra"),
    ]
    assert packages(ask("tool"))["tool"].requires == ()


def test_weak_dependencies_are_recorded_when_they_were_followed(ask: Ask) -> None:
    lock = ask("app", weak=True, tools=["tool"])
    assert list(packages(lock, "tools")) == ["tool"], "the tools are but unpacked"
    (path,) = why(lock.sets["image"], "tool-doc")
    assert path == [
        "app 1:2.0-3: asked for as app",
        "tool 1-1: app Requires tool >= 1",
        "tool-doc 1-1: tool Recommends tool-doc",
    ]
    assert why(lock.sets["image"], "app-lang")[0][-1] == "app-lang 1-1: app is in its Supplements app"


def test_the_dependencies_of_a_package_are_configured_before_it(ask: Ask) -> None:
    order = [one.name for one in ask("app").sets["image"]]
    assert order.index("users") < order.index("app")
    assert order.index("libc-common") < order.index("app")
    assert set(order) == {"users", "app", "libc", "libc-common", "tool", "extra"}


def test_a_spec_is_recorded_with_every_package_that_it_selects(ask: Ask) -> None:
    lock = ask("tool*", "tool-1-1.x86_64", "odd")
    assert packages(lock)["tool"].requested == ("tool*", "tool-1-1.x86_64")
    assert packages(lock)["tool-doc"].requested == ("tool*",)
    assert packages(lock)["odd+name"].requested == ("odd",)


def test_only_the_architecture_and_noarch_count(ask: Ask) -> None:
    assert packages(ask("both"))["both"].version == "1-1"
    for word in ("foreign", "both.i686", "both-2-1", "source"):
        with pytest.raises(SolveError):
            ask(word)
    with pytest.raises(SolveError, match=r"needs-foreign-1-1\.x86_64 needs foreign, which no package provides"):
        ask("needs-foreign")


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["tol"], ["there is no package tol (did you mean tool?)"]),
        (["tool-3"], ["expected tool in version 3, found 1-1"]),
        (["tool-3-1"], ["expected tool in version 3-1, found 1-1"]),
        (["nothing*"], ["no package's name matches nothing*"]),
        (["/usr/nothing"], ["no package is known to have the file /usr/nothing (name the package that has it)"]),
        (["tol", "libc", "extr"], ["no package tol (did you mean tool?)", "no package extr (did you mean extra?)"]),
        (["bad"], ["no package provides; bad-1-1.x86_64 needs tool >= 7, but there is only tool-1-1.x86_64"]),
    ],
)  # fmt: skip
def test_an_unsolvable_request_is_explained(words: list[str], lines: list[str], ask: Ask) -> None:
    with pytest.raises(SolveError) as caught:
        ask(*words)
    said = str(caught.value).splitlines()
    assert len(said) == len(lines)
    for line, expected in zip(said, lines, strict=True):
        assert line.startswith("image: ")
        assert line.endswith(expected)


def test_every_problem_of_every_set_is_reported(ask: Ask) -> None:
    with pytest.raises(SolveError) as caught:
        ask("worse", "needs-foreign", tools=["nothing"])
    first, *rest = sorted(str(caught.value).splitlines())
    assert "tools: there is no package nothing" in rest
    assert first.startswith("image: ")
    for text in (
        "bad-1-1.x86_64 needs",
        "worse-1-1.x86_64 needs bad, which only bad-1-1.x86_64 provides",
        "needs foreign",
    ):
        assert text in str(caught.value)


@pytest.mark.parametrize(
    ("packages", "words", "message"),
    [
        ([{"nevra": "a-1-1", "conflicts": ["b"]}, "b-1-1"], "a b", "a does not go with b (it conflicts with b)"),
        ([{"nevra": "a-1-1", "obsoletes": ["b"]}, "b-1-1"], "a b-1", "a does not go with b (it obsoletes b)"),
        (["a-1-1", "a-2-1"], "a-1 a-2", "a-2-1.x86_64 and a cannot both be installed"),
        ([{"nevra": "a-1-1", "requires": ["b >= 2"]}, "b-1-1"], "a", "a needs b >= 2, but there is only b"),
        ([{"nevra": "a-1-1", "requires": ["(x or y)"]}], "a", "a needs (x or y), which no package provides"),
        (
            [{"nevra": "a-1-1", "requires": ["((x and b) or y)"]}, "b-1-1"],
            "a",
            "a needs ((x and b) or y), of which no package provides x or y",
        ),
        (
            [{"nevra": "a-1-1", "requires": ["((x if b) and b)"]}, "b-1-1"],
            "a",
            "a needs ((x if b) and b), of which no package provides x",
        ),
        ([{"nevra": "a-1-1", "conflicts": ["(b and c)"]}, "b-1-1", "c-1-1"], "a b c", "a conflicts with (b and c)"),
        (
            [{"nevra": "a-1-1", "requires": ["x"]}, "b-1-1", {"nevra": "b-2-1", "obsoletes": ["a"]}],
            "a b-1",
            (
                "a needs x, which no package provides; b-2-1.x86_64 and b cannot both be installed; "
                "a is asked for, which only a or b-2-1.x86_64 provides"
            ),
        ),
        (
            ["a-1-1", {"nevra": "b-1-1", "requires": ["a >= 2"]}, {"nevra": "a-2-1.i686"}],
            "b",
            "b needs a >= 2, but there is only a (of another architecture: a-2-1.i686)",
        ),
        (["a-1-1", {"nevra": "b-1-1.i686"}], "b", "there is no package b (of another architecture: b-1-1.i686)"),
        (
            [{"nevra": "a-1-1", "requires": ["cap"]}, {"nevra": "b-1-1.i686", "provides": ["cap"], "requires": ["x"]}],
            "a",
            "a needs cap, which no package provides (of another architecture: b-1-1.i686)",
        ),
        (["b-1-1.src", "c-1-1"], "b", "there is no package b (of another architecture: b-1-1.src)"),
        (["a-1:1-1", "a-2:1-1"], "a-3:1", "expected a in version 3:1, found 2:1-1, 1:1-1"),
        (
            [{"nevra": "a-1-1", "requires": ["x"]}],
            "b a",
            "there is no package b\nimage: a needs x, which no package provides",
        ),
    ],
)  # fmt: skip
def test_each_kind_of_problem_has_its_message(packages: list[Any], words: str, message: str, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    index = index_of(store, tmp_path / "base", packages)
    with pytest.raises(SolveError) as caught:
        solve(index, request(*words.split()), store)
    assert str(caught.value).replace("-1-1.x86_64", "") == f"image: {message}"


@pytest.mark.parametrize(
    ("allowed", "found"),
    [
        ("tool", "10"),
        ("tool-1", "1.5"),
        ("tool-1.4", "1.4"),
        ("tool-1.4-2", "1.4"),
        ("to?l", "10"),
        ("tool-1.*", "1.5"),
        ("tool-1.50", None),
        ("too", None),
    ],
)
def test_allow_packages_matches_names_versions_and_globs(allowed: str, found: str | None, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    versions = ["tool-1-1", "tool-1.4-2", "tool-1.5-1", "tool-10-1"]
    index = index_of(store, tmp_path / "base", versions, allow_packages=(allowed,))
    if found is None:
        with pytest.raises(SolveError, match="there is no package tool"):
            solve(index, request("tool"), store)
    else:
        assert packages(solve(index, request("tool"), store))["tool"].version.partition("-")[0] == found


def test_an_error_names_packages_that_allow_packages_excludes(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    packages = ["tool-2-1", "other-1-1", {"nevra": "app-1-1", "requires": ["tool >= 2"]}]
    index = index_of(store, tmp_path / "base", packages, allow_packages=("app", "other"))
    left_out = "excluded by allowPackages of base: tool-2-1.x86_64"
    with pytest.raises(SolveError) as caught:
        solve(index, request("tool", "app"), store)
    assert str(caught.value).splitlines() == [
        f"image: there is no package tool ({left_out})",
        f"image: app-1-1.x86_64 needs tool >= 2, which no package provides ({left_out})",
    ]


def test_a_package_in_two_repositories_is_named_with_the_repository(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    user = {"nevra": "user-1-1", "requires": ["one-a", "one-b", "one >= 2"]}
    repositories = [
        Repository(name=name, url=write_repository(tmp_path / name, packages), keys=(), trusted=True)
        for name, packages in (
            ("a", [{"nevra": "one-1-1", "provides": ["one-a"]}, user]),
            ("b", [{"nevra": "one-1-1", "provides": ["one-b"]}]),
        )
    ]
    with HttpFetcher() as fetcher:
        index = read_metadata(repositories, "x86_64", fetcher, store, Previous()).index
    with pytest.raises(SolveError) as caught:
        solve(index, request("one-a", "one-b"), store)
    assert "one-1-1.x86_64 of b and one-1-1.x86_64 of a cannot both be installed" in str(caught.value)
    with pytest.raises(SolveError, match=r"needs one >= 2, but there is only one-1-1\.x86_64$"):
        solve(index, request("user"), store)


def test_the_lock_does_not_depend_on_hashes_or_language(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    index = index_of(store, tmp_path / "base")
    (tmp_path / "index.json").write_text(index.to_text())
    script = """import sys
from pathlib import Path
import msgspec
from oic.values import to_json
from oic.handover.packages import Index
from oic.ospackage.lock import Request
from oic.provider.rpm.solve import solve
from oic.ospackage.store import Store
index, request, store = sys.argv[1:]
asked = msgspec.json.decode(request, type=Request)
print(to_json(solve(Index.from_text(Path(index).read_text()), asked, Store(Path(store)))))
"""
    asked = to_json(request("app", "tool*", weak=True))
    said = {
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "index.json"), asked, str(store.root)],
            env={"PYTHONHASHSEED": seed, "LC_ALL": language, "PYTHONPATH": str(PROJECT), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, language in (("1", "C"), ("2", "de_DE.UTF-8"), ("3", "tr_TR.UTF-8"))
    }
    assert len(said) == 1
    assert '"app-lang"' in said.pop()


def test_the_lock_does_not_depend_on_unrelated_packages(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    packages = [{"nevra": "app-1-1", "requires": ["b", "a", "c"], "pre": ["c", "a >= 1"]}, "a-1-1", "b-1-1", "c-1-1"]
    others = [{"nevra": f"x{number}-1-1", "requires": ["c", "b"][: number % 2 + 1]} for number in range(20)]
    alone, beside = (
        solve(index_of(store, tmp_path / name, there), request("app"), store)
        for name, there in (("alone", packages), ("beside", [*others, *packages]))
    )
    assert [one.requires for one in alone.sets["image"]] == [one.requires for one in beside.sets["image"]]


def test_a_set_is_taken_from_the_repositories_that_it_may_use(tmp_path: Path) -> None:
    """As the tools are the distribution's own, whatever another repository of the recipe has of the same name."""
    store = Store(tmp_path / "store")
    repositories = [
        Repository(name=name, url=write_repository(tmp_path / name, [package]), keys=(), trusted=True)
        for name, package in (("base", "tool-1-1"), ("other", "tool-2-1"))
    ]
    with HttpFetcher() as fetcher:
        index = read_metadata(repositories, "x86_64", fetcher, store, Previous()).index
    both = request("tool", tools=["tool"])
    sets = {**both.sets, "tools": replace(both.sets["tools"], repositories=("base",))}
    lock = solve(index, replace(both, sets=sets), store)
    assert packages(lock)["tool"].version == "2-1"
    assert packages(lock, "tools")["tool"].version == "1-1"
    beyond = {**sets, "tools": replace(both.sets["tools"], names=("tool = 2",), repositories=("base",))}
    with pytest.raises(SolveError, match="tools: "):
        solve(index, replace(both, sets=beyond), store)
