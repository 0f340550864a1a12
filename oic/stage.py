"""A stage as a value: what kind it is, what it reads, what it writes, where it works."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from oic.files import digest_of_file, read_json, write_text
from oic.handover.codec import Handover
from oic.values import to_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from oic.values import ImageName

Slice = TypeVar("Slice")
Read = TypeVar("Read", bound="Handover")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[Slice]):
    """What a stage is, whatever the image: its module says it, and `run` is its work.

    `version` changes whenever the stage would write something else from the same inputs. It `reads` hand-overs of other
    stages and `writes` its own, the first of them its main one.
    """

    name: str
    version: int
    doc: str
    reads: tuple[type[Handover], ...]
    writes: tuple[type[Handover], ...]
    run: Callable[[Stage[Slice]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Generic[Slice]):
    """One task of the graph, ``name:image``.

    `slice` is the part of the final config that it reads. `files` are what it writes beside its hand-overs, by their
    names in the image's directory. `sources` are files of this host by where they go in the image: their content is in
    the slice, their place is nobody's business. `memory` is a lock that remembers who signs, for a stage that asks
    mirrors; with `new_keys` nothing is remembered. None of these three decides whether the stage is fresh.

    `tree` names the tree that it works for, when that is not the image's own: such a stage is ``name-tree:image``, and
    what is of a tree (`Handover.OF_TREE`) lies in a directory of that name.
    """

    kind: Kind[Slice]
    image: ImageName
    recipe: Path
    cache: Path
    slice: Slice
    reads: tuple[type[Handover], ...]
    files: tuple[str, ...] = ()
    tree: str = ""
    lock_file: Path | None = None
    sources: Mapping[str, Path] = field(default_factory=dict, repr=False)
    memory: Path | None = field(default=None, repr=False)
    new_keys: bool = field(default=False, repr=False)

    @property
    def name(self) -> str:
        """Return what the stage is called in every image."""
        return f"{self.kind.name}-{self.tree}" if self.tree else self.kind.name

    @property
    def task(self) -> str:
        """Return the task's name for doit."""
        return f"{self.name}:{self.image}"

    @property
    def directory(self) -> Path:
        """Return the image's own directory in the cache."""
        return self.cache / self.image

    @property
    def log(self) -> Path:
        """Return the stage's log file."""
        return self.directory / "log" / f"{self.name}.log"

    def made_log(self) -> Path:
        """Return the log file, which a namespace can be given to write only once it is there."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.touch()
        return self.log

    def path(self, name: str) -> Path:
        """Return the path of a file in the image's directory, or in that of the stage's tree."""
        return self.directory / self.tree / name

    def place_of(self, kind: type[Handover]) -> Path:
        """Return where the stage reads or writes a hand-over."""
        return self.path(kind.FILE) if kind.OF_TREE else self.directory / kind.FILE

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Return the hand-overs it reads, and the lock that the user keeps."""
        return (*map(self.place_of, self.reads), *([self.lock_file] if self.lock_file else []))

    @property
    def outputs(self) -> tuple[Path, ...]:
        """Return the files it writes, hand-overs first."""
        return (*map(self.place_of, self.kind.writes), *map(self.path, self.files))

    @property
    def origin_file(self) -> Path:
        """Return where it is written what the stage's outputs were made from."""
        return self.directory / "slice" / f"{self.name}.json"

    def origin(self) -> dict[str, Any]:
        """Return all that decides what the stage writes: its version, its slice, and the digests of what it reads."""
        files = {kind.FILE: self.place_of(kind) for kind in self.reads}
        if self.lock_file:
            files["lock"] = self.lock_file
        found = {name: digest_of_file(path) if path.exists() else None for name, path in files.items()}
        return {"version": self.kind.version, "slice": to_plain(self.slice), "inputs": found}

    def read(self, kind: type[Read]) -> Read:
        """Read a hand-over that is among the inputs; raises OSError or ValueError."""
        if kind not in self.reads:
            raise ValueError(f"{self.task} reads {kind.FILE} without saying so")
        return kind.from_text(self.place_of(kind).read_text(encoding="utf-8"))

    def written(self) -> Iterable[Handover]:
        """Yield the hand-overs that it wrote and that are there; raises ValueError for one that is damaged."""
        for kind in self.kind.writes:
            path = self.place_of(kind)
            if path.exists():
                yield kind.from_text(path.read_text(encoding="utf-8"))

    def named(self) -> Iterator[str]:
        """Yield the paths in the cache of what its hand-overs name; raises ValueError for one that is damaged.

        Each build asks. A hand-over that names nothing, such as a lock, is only looked at for being whole.
        """
        for kind in self.kind.writes:
            path = self.place_of(kind)
            if not path.exists():
                continue
            if kind.artefacts is Handover.artefacts:
                read_json(path)
            else:
                yield from kind.from_text(path.read_text(encoding="utf-8")).artefacts()

    def write(self, value: Handover) -> None:
        """Write a hand-over."""
        if type(value) not in self.kind.writes:
            raise ValueError(f"{self.task} writes {value.FILE} without saying so")
        write_text(self.place_of(type(value)), value.to_text())

    def artefact(self, path: Path) -> str:
        """Return a path of the cache as hand-overs name it."""
        return str(path.relative_to(self.cache))
