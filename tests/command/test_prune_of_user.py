"""``prune`` removes trees that belong to an ordinary user's sub-ids, as that user."""

from __future__ import annotations

import codecs
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from images.ordinary_user import ordinary_user

from oic.chroot import layers
from oic.process import child
from oic.tasks import claim
from oic.tasks.prune import prune

from .test_cache import write_layer

if TYPE_CHECKING:
    import pwd
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes a user of the host")


@pytest.fixture
def user() -> Iterator[pwd.struct_passwd]:
    with ordinary_user("oic-prune") as made:
        yield made


def written_and_pruned(user: pwd.struct_passwd) -> tuple[int, int, list[str]]:
    """Become the user; return the layer's owner and a file's, and what prune says."""
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    cache = Path(user.pw_dir, "cache")
    claim.enter(cache)
    place = write_layer(cache, "lost")
    owners = place.stat().st_uid, (place / "tree/etc").stat().st_uid
    said = list(prune(cache, dry_run=False))
    assert not layers.is_there(place)
    return *owners, said


def test_a_user_s_trees_go_although_their_files_belong_to_sub_ids(user: pwd.struct_passwd) -> None:
    for name in ("ascii", "utf-8"):
        codecs.lookup(name)  # before the user would have to read Python's own files
    started: child.Child[tuple[int, int, list[str]]] = child.start(written_and_pruned, user)
    owner, owner_inside, said = started.result()
    assert owner == user.pw_uid
    assert owner_inside not in {0, user.pw_uid}
    assert said[-1].endswith("no image names, 0.1 MB freed")
    assert "removed 1 layer and 0 blobs" in said[-1]
    assert not list(Path(user.pw_dir, "cache/layers").glob("*/tree"))
