"""The values of a verified root, beside veritysetup's own."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from oic.image.verity import BLOCK, RootHash, hash_tree_size
from oic.values import Bytes

if TYPE_CHECKING:
    from pathlib import Path

HASH = RootHash(hexadecimal="00112233445566778899aabbccddeeff" + "fedcba98765432100123456789abcdef")


@pytest.mark.parametrize("blocks", [1, 127, 128, 129, 16384, 16385, 128 * 128 + 1, 262144, 524288])
def test_a_hash_tree_takes_what_is_kept_for_it(blocks: int, tmp_path: Path) -> None:
    data, tree = tmp_path / "data", tmp_path / "tree"
    with data.open("wb") as file:
        file.truncate(blocks * BLOCK)
    subprocess.run(["veritysetup", "format", "--salt=00", data, tree], check=True, capture_output=True)
    needed = tree.stat().st_size
    assert hash_tree_size(Bytes(blocks * BLOCK)) == -(-needed // (1 << 20)) * (1 << 20)


def test_both_partitions_are_named_after_the_root_hash() -> None:
    assert HASH.part_uuids == ("00112233-4455-6677-8899-aabbccddeeff", "fedcba98-7654-3210-0123-456789abcdef")


def test_a_command_line_has_this_root_and_no_other() -> None:
    given = "root=LABEL=x rw console=ttyS0,115200 rootfstype=ext4 ro rootwait quiet"
    found = HASH.command_line(given).split()
    assert found[:4] == [f"roothash={HASH.hexadecimal}", "systemd.verity=yes", "root=/dev/mapper/root", "ro"]
    assert found[4:] == ["console=ttyS0,115200", "rootwait", "quiet"]
    assert len(re.findall(r"\broot=", " ".join(found))) == 1
