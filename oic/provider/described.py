"""What a package file says of itself, for the list of a repository that is made of files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedPackage:
    """A package by its own word. `location` is its file's name in a list, `entry` its entry there.

    `independent`: it is for every architecture.
    """

    name: str
    version: str
    architecture: str
    independent: bool
    location: str
    entry: bytes

    def __str__(self) -> str:
        return f"{self.name} {self.version} {self.architecture}"
