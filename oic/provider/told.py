"""What the package manager of an image is told of the recipe's repositories."""

from __future__ import annotations

from oic.values import Value


class ToldKey(Value):
    """A key file of a repository; `sha256` is set if it is a file of this host.

    With `fingerprints`, only the keys of these are taken from it.
    """

    url: str
    sha256: str = ""
    fingerprints: tuple[str, ...] = ()


class ToldRepository(Value):
    """A repository of the recipe, as the image knows it. `priority` is on the recipe's scale, where 500 is the base.

    `mirror_list`, where it is not empty, stands in for `url`.
    """

    name: str
    url: str
    mirror_list: str
    suite: str
    components: tuple[str, ...]
    keys: tuple[ToldKey, ...]
    trusted: bool
    signed_metadata: bool
    priority: int
    allow_packages: tuple[str, ...]

    def key_names(self) -> tuple[str, ...]:
        """Return the names of its key files in the image, in the order of `keys`."""
        return tuple(self.name if number == 1 else f"{self.name}-{number}" for number in range(1, len(self.keys) + 1))
