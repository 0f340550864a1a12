"""systemd units that create, at first boot, files that must differ between machines (see `oic.provider.firstboot`).

A unit does not run while all its files exist, or where they cannot be written, as on a read-only root.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from oic.provider.firstboot import FirstBoot

_UNITS = "etc/systemd/system"
_TARGET = "multi-user.target"


def remove(root: Path, entries: Sequence[FirstBoot], kept: Collection[str] = ()) -> None:
    """Remove the files that a unit can create, except those `kept`. Runs with the tree as its root."""
    for entry in entries:
        if _can_make(root, entry):
            for pattern in entry.files:
                for path in root.glob(pattern):
                    if f"/{path.relative_to(root)}" not in kept:
                        path.unlink()


def write_units(root: Path, entries: Sequence[FirstBoot]) -> None:
    """Write and enable the units for files of this tree. Runs with the tree as its root."""
    for entry in entries:
        if _can_make(root, entry) and not _has_own(root, entry):
            unit = root / _UNITS / f"{entry.name}.service"
            link = root / _UNITS / f"{_TARGET}.wants" / unit.name
            link.parent.mkdir(parents=True, exist_ok=True)
            for path in (unit, link):
                path.unlink(missing_ok=True)
            unit.write_text(unit_of(entry), encoding="utf-8")
            unit.chmod(0o644)
            link.symlink_to(f"/{_UNITS}/{unit.name}")


def _has_own(root: Path, entry: FirstBoot) -> bool:
    """Tell whether a package has a unit for it that runs.

    A package's unit may have ConditionFirstBoot: an empty ``/etc/machine-id``, as in images here, is no first
    boot to systemd (machine-id(5), "First Boot Semantics").
    """
    units = root.glob(entry.own_unit) if entry.own_unit else ()
    return any("\nConditionFirstBoot=yes\n" not in unit.read_text(encoding="utf-8") for unit in units)


def _can_make(root: Path, entry: FirstBoot) -> bool:
    return all((root / program).exists() for program in entry.programs)


def unit_of(entry: FirstBoot) -> str:
    """Return the text of a unit, systemd.unit(5) and systemd.service(5)."""
    places = sorted({str(Path(pattern).parent) for pattern in entry.files})
    lines = [
        "[Unit]",
        f"Description={entry.description}",
        *([f"Before={' '.join(entry.before)}"] if entry.before else []),
        *(f"ConditionPathIsReadWrite=/{place}" for place in places),
        *(f"ConditionPathExistsGlob=|!/{pattern}" for pattern in entry.files),
        "",
        "[Service]",
        "Type=oneshot",
        "RemainAfterExit=yes",
        "UMask=0077",
        *(f"ExecStart={command}" for command in entry.commands),
        "",
        "[Install]",
        f"WantedBy={_TARGET}",
        "",
    ]
    return "\n".join(lines)
