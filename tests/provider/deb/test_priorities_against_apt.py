"""The solver's answer with priorities and allow-lists is apt's with the same preferences, on drawn repositories."""

from __future__ import annotations

import gzip
import hashlib
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from ospackage.asked import asked

from oic.errors import SolveError
from oic.handover.packages import Index
from oic.ospackage.indexed import ComponentFile, DebRepository
from oic.ospackage.locked import LockedDocument
from oic.ospackage.store import Store
from oic.provider.deb.solve import solve
from oic.values import Bytes

from .apt import Answer, make_apt
from .test_solve import stanza

if TYPE_CHECKING:
    from pathlib import Path

NAMES = tuple(f"p{number}" for number in range(8))
VERSIONS = ("1", "1.5", "2", "2.1~rc1", "3", "1:0.5")
PRIORITIES = (500, 500, 100, 499, 600, 990, 1000, 1001, 501, -1)

pytestmark = pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt-get")


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Repositories with their packages, priorities and allowed packages, and what is asked for."""

    repositories: dict[str, list[dict[str, str]]]
    priorities: dict[str, int]
    allowed: dict[str, tuple[str, ...]]
    asked: list[str]


def drawn(seed: int) -> Drawn:
    dice = random.Random(seed)
    names = ["base", "more", "extra"][: dice.choice((2, 2, 3))]
    # To a version that two repositories have, apt gives the priority of the first record that matches: none is in two.
    repositories = {name: [one for word in NAMES for one in packages(dice, word, f"+{name[0]}")] for name in names}
    allowed = {}
    for name in names[1:]:
        if dice.random() < 0.35:
            allowed[name] = tuple(dice.sample([*NAMES, "p*", "p[0-4]", "?5", "p[5-9]"], dice.randint(1, 3)))
    return Drawn(
        repositories=repositories,
        priorities={"base": 500, **{name: dice.choice(PRIORITIES) for name in names[1:]}},
        allowed=allowed,
        asked=dice.sample(NAMES, dice.randint(1, 3)),
    )


def packages(dice: random.Random, name: str, suffix: str) -> list[dict[str, str]]:
    made = []
    for version in dice.sample(VERSIONS, dice.choice((0, 1, 1, 2))):
        fields = {"Package": name, "Version": version + suffix}
        for field, chance in (("Depends", 0.5), ("Conflicts", 0.06), ("Provides", 0.1)):
            if dice.random() < chance:
                other = dice.choice([one for one in NAMES if one != name])
                bound = f" ({dice.choice(('>=', '<=', '='))} {dice.choice(VERSIONS)})" if dice.random() < 0.3 else ""
                fields[field] = other + (bound if field == "Depends" else "")
        made.append(fields)
    return made


def index_of(case: Drawn, store: Store) -> Index:
    """Return the index of the repositories; all are one group, as apt knows no affinity."""
    entries = []
    for name, found in case.repositories.items():
        text = "\n".join(map(stanza, found)).encode()
        packed = gzip.compress(text, mtime=0)
        release = "\n".join(
            [
                *(f"{field}: {name}" for field in ("Suite", "Codename")),
                f"Date: {format_datetime(datetime.now(UTC))}\nArchitectures: amd64\nComponents: main\nSHA256:",
                f" {hashlib.sha256(text).hexdigest()} {len(text)} main/binary-amd64/Packages",
                f" {hashlib.sha256(packed).hexdigest()} {len(packed)} main/binary-amd64/Packages.gz\n",
            ]
        ).encode()
        entries.append(
            DebRepository(
                name=name,
                url=f"https://{name}.invalid",
                suite=name,
                components=("main",),
                priority=case.priorities[name],
                allow_packages=case.allowed.get(name, ()),
                signers=(),
                trusted=True,
                keys=(),
                documents=(
                    LockedDocument(name="Release", url="", sha256=store.add(release), size=Bytes(len(release))),
                ),
                group="",
                date=datetime(2026, 1, 1, tzinfo=UTC),
                valid_until=None,
                packages=(
                    ComponentFile(component="main", sha256=store.add(packed), compression="gz", plain_size=len(text)),
                ),
            )
        )
    return Index(architecture="amd64", repositories=tuple(entries))


def preferences(case: Drawn) -> str:
    """Return what tells apt the same, in the format of apt_preferences(5)."""
    stanzas = []
    for name, priority in case.priorities.items():
        pin = f"Pin: release n={name}\nPin-Priority: "
        if allowed := case.allowed.get(name):
            stanzas += [f"Package: {' '.join(allowed)}\n{pin}{priority}\n", f"Package: *\n{pin}-1\n"]
        else:
            stanzas.append(f"Package: *\n{pin}{priority}\n")
    return "\n".join(stanzas)


def answers(case: Drawn, place: Path) -> tuple[frozenset[str] | None, Answer]:
    store = Store(place / "store")
    index = index_of(case, store)
    apt = make_apt(place / "apt", index, store)
    (apt.root / "etc/preferences").write_text(preferences(case))
    try:
        lock = solve(index, asked(*case.asked, essential=False), store)
    except SolveError:
        return None, apt.install(case.asked)
    return frozenset(f"{one.name} {one.version}" for one in lock.sets["image"]), apt.install(case.asked)


def compare(seeds: range, place: Path) -> tuple[list[str], int]:
    """Return the differences, and how many requests apt answered; it finds no solution for some that have one."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        found = list(pool.map(lambda seed: (seed, *answers(drawn(seed), place / str(seed))), seeds))
    told = [
        f"{seed}: {drawn(seed).asked}: ours {sorted(ours or ())}, apt's {sorted(apt.packages)} {apt.refusal[-200:]}"
        for seed, ours, apt in found
        if not apt.refusal and ours != apt.packages
    ]
    return told, sum(not apt.refusal for _, _, apt in found)


def test_the_solution_is_that_of_apt_with_the_same_preferences(tmp_path: Path) -> None:
    told, solved = compare(range(40), tmp_path)
    assert told == []
    assert 5 < solved < 40


@pytest.mark.slow
def test_five_hundred_drawn_cases_have_the_solutions_of_apt(tmp_path: Path) -> None:
    told, solved = compare(range(1000, 1500), tmp_path)
    assert told == []
    assert 100 < solved < 490
