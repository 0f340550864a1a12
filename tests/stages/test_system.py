from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from oic.chroot import child, namespace
from oic.stages.system import write_host_keys_unit

if TYPE_CHECKING:
    from pathlib import Path

OURS = "etc/systemd/system/multi-user.target.wants/ssh-host-keys.service"


@pytest.mark.parametrize(
    ("unit", "ours"),
    [
        ("sshd.service", True),
        ("sshd-keygen.service", False),
        ("sshd-keygen@.service", False),  # an instance for each kind of key: Enterprise Linux
        ("ssh-keygen.service", False),
    ],
)
def test_host_keys_are_made_by_one_unit_the_distributions_if_it_has_one(unit: str, ours: bool, tmp_path: Path) -> None:  # noqa: FBT001
    for name in ("usr/bin/ssh-keygen", "usr/sbin/sshd", f"usr/lib/systemd/system/{unit}"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    namespace.call(child.inside, tmp_path, write_host_keys_unit, writes=[tmp_path])
    assert (tmp_path / OURS).is_symlink() == ours
