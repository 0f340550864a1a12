"""The error for scriptlets that failed, of both families, unless the recipe or distribution lets them fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.errors import ToolError, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oic.handover.tree import PassedOver

_NAMED = 4


def scriptlet_error(failed: Sequence[PassedOver], *, where: str | None = None) -> ToolError:
    """Return an error that names each failed scriptlet and says how the recipe can let it fail."""
    lines = [
        one_line(
            f"the scriptlet {one.phase} of {one.package} failed: {one.how}"
            + (f"; its output: {' / '.join(one.lines)}" if one.lines else "")
        )
        for one in failed[:_NAMED]
    ]
    if len(failed) > _NAMED:
        lines.append(f"{len(failed) - _NAMED} more failed")
    words = ", ".join(f"{one.package} {one.phase}" for one in failed)
    hint = f"if that is harmless, systemConfig.scriptletsMayFail: [{words}] lets it pass"
    return ToolError("\n".join(lines), where=where, hint=hint)
