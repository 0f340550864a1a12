"""Holds the root of a booted machine against its root hash: every block of it is read, through dm-verity."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oic.boottest.session import Session

STATUS = "veritysetup status root"
READ_ALL = "dd if=/dev/mapper/root of=/dev/null bs=1M 2>&1"
SAID_BY_KERNEL = "dmesg | grep -E 'verity: .*(corrupt|invalid)' | tail -n 3"


def check_root(session: Session, root_hash: str, deadline: float) -> str:
    """Return what dm-verity says of the root, once all of it was read; raises BootError where it is not as hashed.

    The session is root's.
    """
    read = session.run(READ_ALL, deadline)
    said = session.run(STATUS, deadline)
    found = dict(re.findall(r"^ *(status|root hash|mode): +(\S+)", said.text, re.MULTILINE))
    if read.status or found.get("status") == "corrupted":
        kernel = session.run(SAID_BY_KERNEL, deadline).text.strip() or read.text.strip()
        raise session.failure(f"expected every block of the root to be as its hash says, but the kernel says: {kernel}")
    wanted = {"status": "verified", "root hash": root_hash, "mode": "readonly"}
    if found != wanted:
        text = f"expected the root to be verified against {root_hash}, and only read"
        raise session.failure(f"{text}, but `{STATUS}` says: {said.text.strip()}")
    return f"verified, root hash {root_hash}"
