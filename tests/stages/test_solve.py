"""A lock that is kept, held against what its recipe asks of each set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from ospackage.asked import asked

from oic.config.repository import Repository
from oic.errors import SolveError, TrustError
from oic.files import write_text
from oic.handover.packages import LockFile
from oic.ospackage.locked import Lock, LockedPackage, LockedRepository, Request
from oic.runs import solve as running
from oic.stage import Stage
from oic.stages import solve
from oic.values import Bytes, ImageName, digest_of

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("base", "other")
SOURCES = tuple(Repository(name=name, url=f"https://{name}.invalid", keys=(), trusted=True) for name in NAMES)
WIDE = asked("app", tools=["cc"])
NARROW = replace(WIDE, sets={**WIDE.sets, "tools": replace(WIDE.sets["tools"], repositories=("base",))})


def package(name: str, repository: str) -> LockedPackage:
    return LockedPackage(
        name=name,
        version="1-1",
        architecture="noarch",
        repository=repository,
        location=f"{name}.rpm",
        url=f"https://{repository}.invalid/{name}.rpm",
        size=Bytes(1),
        sha256=digest_of(name),
        essential=False,
        requested=(name,),
        requires=(),
    )


def lock_of(request: Request, tool: LockedPackage) -> Lock:
    repositories = tuple(
        LockedRepository(
            name=entry.name, url=entry.url, suite="", components=(), signers=(), keys=(), trusted=entry.trusted
        )
        for entry in SOURCES
    )
    return Lock(
        request=digest_of(request),
        asked=request,
        repositories=repositories,
        sets={"image": (package("app", "other"),), "tools": (tool,)},
    )


def run(place: Path, lock: Lock, request: Request) -> str:
    file = place / "small.lock.json"
    write_text(file, LockFile(lock=lock).to_text())
    stage = Stage(
        kind=solve.KIND,
        image=ImageName("small"),
        recipe=place / "small.yml",
        cache=place / "cache",
        slice=solve.Slice(provider="rpm", request=request, repositories=SOURCES),
        reads=(),
        lock_file=file,
    )
    return running.run(stage)


def test_a_lock_whose_tools_are_of_the_distribution_is_taken(tmp_path: Path) -> None:
    said = run(tmp_path, lock_of(NARROW, package("cc", "base")), NARROW)
    assert said == "1 packages for the image, 1 packages for the tools, as small.lock.json says"


def test_a_lock_that_takes_a_tool_from_another_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrustError, match="tools: expected packages of base only, found cc of other"):
        run(tmp_path, lock_of(NARROW, package("cc", "other")), NARROW)


def test_a_lock_made_before_the_tools_had_repositories_of_their_own_says_so(tmp_path: Path) -> None:
    message = "the lock does not answer its recipe any more: the tools came of every repository, now of base"
    with pytest.raises(SolveError, match=message):
        run(tmp_path, lock_of(WIDE, package("cc", "base")), NARROW)
