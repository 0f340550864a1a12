"""What a boot loader that reads the tree finds in it: a layer over the configured tree.

* The settings of the menu go where grub-mkconfig of this tree reads them: into /etc/default/grub.d where it knows that
  directory, else to the end of /etc/default/grub, which then reads that directory itself.
* Extra modules go into the configuration of the initramfs generator, so that one made by the image has them.
* An initramfs made here is one that the tree's generator takes for its own, and replaces when it is asked to.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from oic.chroot import overlay
from oic.chroot.tree import Filled
from oic.image.tree.generators import GENERATORS, with_added
from oic.process import child

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

_PROGRAMS = ("usr/sbin/grub-mkconfig", "usr/sbin/grub2-mkconfig")
_SETTINGS = "etc/default/grub"
_DROP_INS = f"{_SETTINGS}.d"
_HEADER = "# From the recipe that this image was made of.\n"
_READ_DROP_INS = f"""for file in /{_DROP_INS}/*.cfg; do
    [ ! -e "$file" ] || . "$file"
done
"""


def fill(  # noqa: PLR0913 - runs in a namespace: all it knows is said here
    below: Sequence[Path],
    files: Mapping[str, Path | bytes],
    settings: str,
    private: Collection[str],
    added: Mapping[str, str],
    initramfs: Mapping[str, str],
    epoch: int,
    place: Path,
) -> Filled:
    """Put files and settings into the layer that is made at `place`; `initramfs` are paths by kernel version.

    `private` are the files that root alone may read, `added` lines for the configuration of the generator, so that an
    initramfs that the image makes has the same modules. Runs in a namespace.
    """
    contents = {name: source if isinstance(source, bytes) else source.read_bytes() for name, source in files.items()}
    with overlay.merged(below, place / "root", upper=place / "tree", work=place / "work") as root:
        contents |= child.inside(root, with_added, added)
        child.inside(root, _write, contents, settings, private, initramfs)
    return Filled(epoch=epoch)


def _write(
    root: Path, contents: Mapping[str, bytes], settings: str, private: Collection[str], initramfs: Mapping[str, str]
) -> None:
    for name, content in contents.items():
        _put(root / name, content, mode=0o400 if name in private else 0o644)
    if settings:
        name, text = settings_file(root, settings)
        _put(root / name, text.encode())
    for generator in GENERATORS.values():
        if generator.known and (root / generator.known).is_dir():
            for version, path in initramfs.items():
                line = f"{hashlib.sha1(contents[path], usedforsecurity=False).hexdigest()}  /{path}\n"
                _put(root / generator.known / version, line.encode())


def settings_file(root: Path, settings: str) -> tuple[str, str]:
    """Return path and text of the file that tells grub-mkconfig its settings. Runs with the tree as its root."""
    programs = [(root / name).read_bytes() for name in _PROGRAMS if (root / name).is_file()]
    if any(b"default/grub.d/" in program for program in programs):
        return f"{_DROP_INS}/90-image.cfg", f"{_HEADER}{settings}"
    own = (root / _SETTINGS).read_text(encoding="utf-8") if (root / _SETTINGS).is_file() else ""
    return _SETTINGS, f"{own}{_HEADER}{settings}{_READ_DROP_INS}"


def _put(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    for parent in reversed(path.parents):
        if not parent.exists():
            parent.mkdir()
            parent.chmod(0o755)
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
