"""The merged /usr: the directories at the top that are links into /usr, for packages of both families."""

from __future__ import annotations

LINKS = {"/bin": "usr/bin", "/lib": "usr/lib", "/lib64": "usr/lib64", "/sbin": "usr/sbin"}
"""Each link's target, as a package would write it: relative to the root."""
_BELOW = tuple(f"{link}/" for link in LINKS)


def path_in_usr(path: str) -> str:
    """Return where a path that a package lists is in the tree: ``/bin/sh`` is ``/usr/bin/sh``."""
    return f"/usr{path}" if path.startswith(_BELOW) else path
