"""The EFI system partition that a boot method fills."""

from __future__ import annotations

from oic.values import Bytes, Value


class EspPartition(Value):
    """The EFI system partition; `type` is its file system's name in recipes.

    Without a size it is as large as its files want. `at` is where it is mounted, for a method that has files in the
    tree.
    """

    id: str
    type: str
    size: Bytes | None
    label: str
    volume_id: int
    at: str
