"""How a booting system finds a partition: on the kernel command line and in fstab(5)."""

from __future__ import annotations

from oic.values import Value


class ByPartuuid(Value):
    """A partition identified by its UUID in the partition table."""

    uuid: str

    @property
    def device(self) -> str:
        """Return the partition in the form of fstab(5)."""
        return f"PARTUUID={self.uuid}"

    def command_line(self, text: str) -> str:
        """Return the command line `text` with this partition as the root, unless `text` names another root."""
        given = text.split()
        own = [] if any(word.startswith("root=") for word in given) else [f"root={self.device}", "rw"]
        return " ".join([*own, *given])
