"""How a booting system finds its partitions: what the kernel's command line and fstab(5) say of one."""

from __future__ import annotations

from oic.values import Value


class ByPartuuid(Value):
    """A partition found by its UUID in the partition table."""

    uuid: str

    @property
    def device(self) -> str:
        """Return the partition as fstab(5) names it."""
        return f"PARTUUID={self.uuid}"

    def command_line(self, words: str) -> str:
        """Return a command line that has this as its root, unless `words` name another one."""
        given = words.split()
        own = [] if any(word.startswith("root=") for word in given) else [f"root={self.device}", "rw"]
        return " ".join([*own, *given])
