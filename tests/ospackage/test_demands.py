"""A lock held against its recipe, where another host has another URL."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from oic.config.repository import Key, Repository
from oic.errors import TrustError
from oic.ospackage.demands import check_demands, check_sets, demanded_keys
from oic.ospackage.lock import Lock, LockedKey, LockedPackage, LockedRepository
from oic.values import Bytes, Digest
from ospackage.asked import NOTHING_ASKED, asked

OWN, OTHER = "A" * 40, "B" * 40
KEY = Key(source="https://keys.invalid/a", fingerprints=(OWN,))
RECIPE = Repository(name="base", url="http://here.invalid/debian", suite="tiny", components=("main",), keys=(KEY,))


def key(url: str, *fingerprints: str) -> LockedKey:
    return LockedKey(url=url, sha256=Digest("0" * 64), size=Bytes(1), fingerprints=fingerprints)


LOCKED = LockedRepository(
    name="base",
    url=RECIPE.url,
    suite="tiny",
    components=("main",),
    signers=(OWN,),
    keys=(key(KEY.source, OWN),),
    trusted=False,
)


def check(locked: LockedRepository, recipe: Repository) -> None:
    lock = Lock(request=Digest("0" * 64), asked=NOTHING_ASKED, repositories=(locked,), sets={})
    check_demands(lock, [recipe], "small.lock.json")


def test_what_the_recipe_has_is_good_and_so_is_less() -> None:
    check(LOCKED, RECIPE)
    check(replace(LOCKED, url=RECIPE.url + "/"), RECIPE)
    check(replace(LOCKED, components=()), RECIPE)
    more = replace(RECIPE, keys=(KEY, Key(source="/k", fingerprints=(OTHER,))))
    check(LOCKED, more)
    trusted = replace(RECIPE, keys=(), trusted=True)
    check(replace(LOCKED, keys=()), trusted)


@pytest.mark.parametrize("change", [{"of_host": True}, {"mirror_list": "https://list.invalid"}])
def test_another_url_is_taken_of_the_hosts_mirror_or_a_list_and_only_if_signed(change: dict[str, object]) -> None:
    elsewhere = replace(LOCKED, url="http://there.invalid/debian")
    with pytest.raises(TrustError, match="base: expected it at http://here"):
        check(elsewhere, RECIPE)
    recipe = replace(RECIPE, **change)
    check(elsewhere, recipe)
    with pytest.raises(TrustError, match="found it at file:///srv"):
        check(replace(LOCKED, url="file:///srv"), recipe)
    with pytest.raises(TrustError, match="found it at http://there"):
        check(replace(elsewhere, keys=()), replace(recipe, keys=(), trusted=True))


@pytest.mark.parametrize(
    ("locked", "own", "good"),
    [
        (key("https://elsewhere.invalid/a", OWN), KEY, True),
        (key("https://elsewhere.invalid/a", OWN, OTHER), KEY, False),
        (key("https://elsewhere.invalid/a"), KEY, False),
        (key(KEY.source), KEY, True),
        (key(KEY.source, OTHER), KEY, False),
        (key(KEY.source, OTHER), Key(source=KEY.source), True),
        (key("https://elsewhere.invalid/a", OTHER), Key(source=KEY.source), False),
        (key("file:///usr/share/k%20k.gpg"), Key(source="/usr/share/k k.gpg"), True),
        (key("file:///usr/share/other.gpg"), Key(source="/usr/share/k k.gpg"), False),
    ],
)
def test_a_key_is_the_recipes_by_fingerprint_or_else_by_its_url(locked: LockedKey, own: Key, *, good: bool) -> None:
    recipe = replace(RECIPE, keys=(own, Key(source="https://keys.invalid/unused")))
    if good:
        check(replace(LOCKED, keys=(locked,)), recipe)
        return
    with pytest.raises(TrustError, match=f"base: expected the keys of the recipe, found {locked.url}"):
        check(replace(LOCKED, keys=(locked,)), recipe)


def test_of_a_key_counts_what_recipe_and_lock_both_have() -> None:
    both = replace(RECIPE, keys=(replace(KEY, fingerprints=(OWN, OTHER)), Key(source="/k")))
    assert demanded_keys(LOCKED, both, {KEY.source: [OTHER]}) == LOCKED.keys
    older = replace(LOCKED, keys=(key(KEY.source), key("file:///k")))
    pinned = (key(KEY.source, OWN, OTHER),)
    assert demanded_keys(older, both, {}) == pinned, "the host's own file is read from the host"
    loose = replace(RECIPE, keys=(Key(source=KEY.source),))
    older = replace(LOCKED, keys=(key(KEY.source),))
    assert demanded_keys(older, loose, {KEY.source: [OTHER]}) == (key(KEY.source, OTHER),), "as is remembered"


def package(name: str, repository: str) -> LockedPackage:
    return LockedPackage(
        name=name,
        version="1",
        architecture="all",
        repository=repository,
        location="a",
        url="http://here.invalid/a",
        size=Bytes(1),
        sha256=Digest("0" * 64),
        essential=False,
        requested=(),
        requires=(),
    )


def test_a_set_has_packages_of_the_repositories_that_it_may_use() -> None:
    sets = {"image": (package("a", "other"),), "tools": (package("make", "base"), package("cc", "other"))}
    lock = Lock(request=Digest("0" * 64), asked=NOTHING_ASKED, repositories=(LOCKED,), sets=sets)
    request = asked("a", tools=["make", "cc"])
    check_sets(lock, request, "small.lock.json")
    tools = replace(request.sets["tools"], repositories=("base",))
    with pytest.raises(TrustError) as caught:
        check_sets(lock, replace(request, sets={**request.sets, "tools": tools}), "small.lock.json")
    assert str(caught.value).startswith(
        "small.lock.json: tools: expected packages of base only, found cc of other (doit lock"
    )
