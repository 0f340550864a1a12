"""A bad entry in a list of packages costs its package and nothing else, and nothing takes its place unseen."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from ospackage.asked import asked

from oic.errors import SolveError, TrustError
from oic.provider.rpm.packages import PackageSource
from oic.provider.rpm.pool import Packages
from oic.provider.rpm.solve import solve

from .published import Mirror, key, mirror, read, refused, signers, store
from .repodata import documents_of

if TYPE_CHECKING:
    from oic.handover.packages import Index
    from oic.ospackage.locked import Request
    from oic.ospackage.store import Store

__all__ = ["key", "mirror", "signers", "store"]  # fixtures

PACKAGE_SUM = r'type="sha256" pkgid="YES">\w+'

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")

BAD = [
    (r'href="[^"]+"', 'href="../../etc/foo.rpm"', "expected foo-1-1.x86_64 below the repository"),
    (r'href="[^"]+"', 'href="/foo.rpm"', "below the repository, found it at '//foo.rpm'"),
    (r'href="[^"]+"', 'href="https://elsewhere/foo.rpm"', "below the repository"),
    (r'href="[^"]+"', 'href="a&#9;b.rpm"', "below the repository"),
    (r'href="[^"]+"', 'href="a.rpm?x#y"', "below the repository"),
    (
        "<location href",
        '<location xml:base="http://elsewhere/" href',
        "below the repository, found it at 'http://elsewhere//Packages/",
    ),
    (r"<location[^>]+>", "", "below the repository, found it at ''"),
    (PACKAGE_SUM, f'type="sha1" pkgid="YES">{"0" * 40}', "sha256 checksum of foo-1-1.x86_64, found sha1:"),
    (PACKAGE_SUM, f'type="md5" pkgid="YES">{"0" * 32}', "found md5:"),
    (PACKAGE_SUM, f'type="sha512" pkgid="YES">{"0" * 128}', "found sha512:"),
    (r"<checksum[^/]+/checksum>", "", "expected a sha256 checksum of foo-1-1.x86_64, found None"),
    (r'<size package="\d+"', '<size package="0"', "expected the size"),
    (r'<size package="\d+"', '<size package="-1"', "the size of foo-1-1.x86_64, found 18446744073709551615"),
    ("<name>foo", f"<name>{'foo' * 90}", "expected a package's name and version"),
    ("<name>foo", "<name>../foo", "expected a package's name and version"),
    ("<name>foo", "<name>foo bar", "expected a package's name and version"),
    ("<name>foo", "<name>foo\n\tbar\u009b31m", "expected a package's name and version"),
    ("<name>foo</name>", "", "expected a package's name and version"),
    ('ver="1"', 'ver="1/2"', "expected a package's name and version"),
    ("<version[^>]+>", "", "expected a package's name and version"),
]  # fmt: skip


def _request(*words: str) -> Request:
    return asked(*words, architecture="x86_64")


def _names(index: Index, store: Store, *words: str) -> dict[str, str]:
    return {one.name: one.version for one in solve(index, _request(*words), store).sets["image"]}


@pytest.mark.parametrize(("old", "new", "message"), BAD)
def test_a_bad_entry_excludes_its_package_with_a_note(
    old: str, new: str, message: str, mirror: Mirror, store: Store, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror.change_primary(old, new)
    index = read(mirror, store, key).index
    said = capsys.readouterr().err
    assert said.startswith("note: base: 1 of 3 packages cannot be used: expected ")
    assert message in said
    assert said.count("\n") == 1
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", said)
    assert _names(index, store, "tool") == {"tool": "1-1"}
    with pytest.raises(SolveError, match=r"needs foo, which no package provides|there is no package foo"):
        _names(index, store, "foo", "app")


def test_the_refusal_of_a_package_says_why_its_entry_is_bad(mirror: Mirror, store: Store, key: str) -> None:
    mirror.change_primary(r"<location[^>]+>", "")
    with pytest.raises(SolveError) as raised:
        _names(read(mirror, store, key).index, store, "foo", "app")
    why = "its entry in base cannot be used, expected foo-1-1.x86_64 below the repository, found it at ''"
    assert str(raised.value).splitlines() == [
        f"image: there is no package foo ({why}: foo-1-1.x86_64)",
        f"image: app-1-1.x86_64 needs foo, which no package provides ({why}: foo-1-1.x86_64)",
    ]


def test_the_note_names_a_few_of_many(
    mirror: Mirror, store: Store, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror.publish_rpm(["good-1-1", *(f"p{number:03}-1-1" for number in range(200))])
    mirror.change_primary(r'href="Packages/p', 'href="/p', count=0)
    read(mirror, store, key)
    said = capsys.readouterr().err
    assert "base: 200 of 201 packages cannot be used: " in said
    assert said.count("below the repository") == 4
    assert said.endswith("; and 196 more\n")


def test_a_repository_of_bad_entries_only_is_refused(mirror: Mirror, store: Store, key: str) -> None:
    mirror.change_primary(PACKAGE_SUM, f'type="sha512" pkgid="YES">{"0" * 128}', count=0)
    words = refused("expected a sha256 checksum of foo-1-1.x86_64, found sha512:", mirror, store, key)
    assert "; none of its 3 packages can be used (createrepo_c --checksum sha256 writes them)" in words
    mirror.publish_rpm(["foo-1-1"])
    mirror.change_primary(r"<location[^>]+>", "")
    assert refused("found it at ''", mirror, store, key) == (
        "base: expected foo-1-1.x86_64 below the repository, found it at ''"
    )


def test_a_bad_entry_of_an_excluded_package_is_ignored(
    mirror: Mirror, store: Store, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror.publish_rpm(["other-1-1.i686", "foo-1-1", "kept-1-1"])
    mirror.change_primary(r"<location[^>]+>", "")
    index = read(mirror, store, key).index
    assert _names(index, store, "kept") == {"kept": "1-1"}
    mirror.change_primary(r"<location[^>]+>", "")
    read(mirror, store, key, allow_packages=("kept",))
    assert not capsys.readouterr().err


def test_an_older_version_of_the_same_repository_may_replace_a_bad_entry(
    mirror: Mirror, store: Store, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror.publish_rpm(["foo-2-1", "foo-1-1", {"nevra": "app-1-1", "requires": ["foo"]}])
    mirror.change_primary(r"<location[^>]+>", "")
    index = read(mirror, store, key).index
    assert "foo-2-1.x86_64" in capsys.readouterr().err
    assert _names(index, store, "app") == {"app": "1-1", "foo": "1-1"}


def _packages(*sources: tuple[str, int, list[Any]], bad: str = "") -> Packages:
    """Return the pool of several repositories by name and priority; the entry of `bad` has no location."""
    documents = {name: documents_of(packages)["primary"] for name, _, packages in sources}
    entry = rf'<location href="Packages/{re.escape(bad)}\.[^>]+>'.encode()
    if bad:
        assert any(re.search(entry, text) for text in documents.values())
    made = [
        PackageSource(name=name, primary=re.sub(entry, b"", documents[name]), priority=priority)
        for name, priority, _ in sources
    ]
    return Packages(made, "x86_64")


def test_no_repository_of_lower_priority_takes_the_place_of_a_bad_entry() -> None:
    first = ("base", 10, ["foo-1-1", "good-1-1"])
    second = ("extra", 0, ["foo-3-1", {"nevra": "evil-1-1", "provides": ["foo"]}, "tool-1-1"])
    packages = _packages(first, second)
    assert [package.repo.name for package in packages.by_name["foo"]] == ["base", "extra"]
    packages = _packages(first, second, bad="foo-1-1")
    assert sorted(packages.by_name) == ["good", "tool"]
    assert packages.providing("foo") == []
    assert packages.excluded("foo") == (
        "its entry in base cannot be used, expected foo-1-1.x86_64 below the repository, found it at '': foo-1-1.x86_64"
        "; the entry of foo-1-1.x86_64 in base cannot be used: foo-3-1.x86_64, evil-1-1.x86_64"
    )
    assert packages.bad_entries() == [
        "base: 1 of 2 packages cannot be used: expected foo-1-1.x86_64 below the repository, found it at ''"
    ]


def test_a_repository_of_the_same_or_a_higher_priority_is_not_touched() -> None:
    """It would have won with a newer version anyhow; and a slip in one repository takes nothing away from another."""
    for priority in (0, 5):
        packages = _packages(("base", 0, ["foo-1-1", "good-1-1"]), ("extra", priority, ["foo-3-1"]), bad="foo-1-1")
        assert [package.evr for package in packages.by_name["foo"]] == ["3-1"]


def test_a_repository_whose_packages_are_excluded_for_another_is_not_bad() -> None:
    first, second = ("base", 10, ["foo-1-1", "good-1-1"]), ("extra", 0, ["foo-3-1"])
    assert len(_packages(first, second, bad="foo-1-1").bad_entries()) == 1
    with pytest.raises(TrustError, match="extra: expected foo-3-1"):
        _packages(("base", 10, ["good-1-1"]), second, bad="foo-3-1").bad_entries()


def test_a_spec_does_not_select_a_package_that_only_provides_the_name_of_a_bad_entry(
    mirror: Mirror, store: Store, key: str
) -> None:
    mirror.publish_rpm(["foo-1-1", {"nevra": "other-1-1", "provides": ["foo"]}])
    index = read(mirror, store, key).index
    mirror.change_primary(r"<location[^>]+>", "")
    assert _names(index, store, "foo") == {"foo": "1-1"}
    index = read(mirror, store, key).index
    with pytest.raises(SolveError, match=r"there is no package foo \(its entry in base cannot be used"):
        _names(index, store, "foo")


def test_thousands_of_bad_entries_of_one_name_are_excluded_quickly() -> None:
    many = [{"nevra": f"foo-{number}-1"} for number in range(3000)]
    packages = _packages(("base", 10, [*many, "good-1-1"]), ("extra", 0, many), bad="foo-1-1")
    assert "foo" in packages.by_name
    document = re.sub(rb"<location[^>]+foo[^>]+>", b"", documents_of([*many, "good-1-1"])["primary"])
    sources = [PackageSource(name="base", primary=document, priority=10)]
    sources.append(PackageSource(name="extra", primary=documents_of(many)["primary"]))
    assert sorted(Packages(sources, "x86_64").by_name) == ["good"]
