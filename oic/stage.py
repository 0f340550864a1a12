"""A stage as a value: its kind, its inputs, its outputs and its directories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from oic.files import digest_of_file, read_json, write_text
from oic.handover.tree import Artefact
from oic.values import Bytes, Digest, Value, to_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from oic.handover.codec import Handover
    from oic.values import ImageName

Slice = TypeVar("Slice")
Read = TypeVar("Read", bound="Handover")


class Origin(Value):
    """Everything that determines a stage's outputs: its version, its slice as JSON, the digests of its inputs by name.

    The slice is compared with what an older version wrote, of whatever shape that was.
    """

    version: int
    slice: Any
    inputs: dict[str, Digest | None]


class Kind(Value, Generic[Slice]):
    """A stage independently of the image; each module of oic/stages defines one, which oic/runs runs.

    `version` is raised by one whenever the stage would write different outputs from the same inputs. The stage `reads`
    hand-overs of other stages and `writes` its own; the first of these is its main one.
    """

    name: str
    version: int
    doc: str
    reads: tuple[type[Handover], ...]
    writes: tuple[type[Handover], ...]


class Stage(Value, Generic[Slice]):
    """One task of the graph, ``name:image``.

    `slice` is the part of the final config that the stage reads. `files` are further outputs, by their names in the
    image's directory. `sources` maps paths in the image to files of this host; their content is in the slice as a
    digest, their location is not. `memory` is a lock file that records the signing keys of the last build, for the
    stage that asks mirrors; `new_keys` tells it to ignore that record. `refetch` tells a stage to download again what
    may have changed. `sources`, `memory`, `new_keys` and `refetch` have no influence on whether the stage is fresh.

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
    sources: Mapping[str, Path] = msgspec.field(default_factory=dict)
    memory: Path | None = None
    new_keys: bool = False
    refetch: bool = False

    @property
    def name(self) -> str:
        """Return the stage's name, which is the same in every image."""
        return f"{self.kind.name}-{self.tree}" if self.tree else self.kind.name

    @property
    def task(self) -> str:
        """Return the name of the doit task."""
        return f"{self.name}:{self.image}"

    @property
    def directory(self) -> Path:
        """Return the image's own directory in the cache."""
        return self.cache / self.image

    @property
    def log(self) -> Path:
        """Return the stage's log file."""
        return self.directory / "log" / f"{self.name}.log"

    def create_log(self) -> Path:
        """Create the log file if it is missing, because a namespace can only be given files that exist; return it."""
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
        """Return the hand-overs that the stage reads, and the user's lock file if there is one."""
        return (*map(self.place_of, self.reads), *([self.lock_file] if self.lock_file else []))

    @property
    def outputs(self) -> tuple[Path, ...]:
        """Return the files that the stage writes, hand-overs first."""
        return (*map(self.place_of, self.kind.writes), *map(self.path, self.files))

    @property
    def origin_file(self) -> Path:
        """Return the file that records what the stage's outputs were made from."""
        return self.directory / "slice" / f"{self.name}.json"

    @property
    def earlier_origin_file(self) -> Path:
        """Return the file that keeps the record of `origin_file` while a run has not yet changed a hand-over."""
        return self.directory / "slice" / f"{self.name}.earlier.json"

    @property
    def seen_file(self) -> Path:
        """Return the file that records how the stage's artefacts looked when their content was last known."""
        return self.directory / "seen" / f"{self.name}.json"

    def origin(self) -> Origin:
        """Return everything that determines the outputs."""
        files = {kind.FILE: self.place_of(kind) for kind in self.reads}
        if self.lock_file:
            files["lock"] = self.lock_file
        found = {name: digest_of_file(path) if path.exists() else None for name, path in files.items()}
        return Origin(version=self.kind.version, slice=to_plain(self.slice), inputs=found)

    def last_origin(self) -> Origin:
        """Return what the outputs that there are were made from; raises OSError or ValueError."""
        return msgspec.json.decode(self.origin_file.read_bytes(), type=Origin)

    def earlier_origin(self) -> Origin | None:
        """Return what the outputs were made from that a run has left as they were, if it has."""
        try:
            return msgspec.json.decode(self.earlier_origin_file.read_bytes(), type=Origin)
        except (FileNotFoundError, ValueError):
            return None

    def read(self, kind: type[Read]) -> Read:
        """Read a hand-over of another stage; raises OSError, or ValueError if `reads` does not list it."""
        if kind not in self.reads:
            raise ValueError(f"{self.task} reads {kind.FILE}, which is not among its inputs")
        return kind.from_text(self.place_of(kind).read_text(encoding="utf-8"))

    def written(self) -> Iterable[Handover]:
        """Yield the hand-overs that the stage wrote and that exist; raises ValueError for a damaged one."""
        for kind in self.kind.writes:
            path = self.place_of(kind)
            if path.exists():
                yield kind.from_text(path.read_text(encoding="utf-8"))

    def naming(self) -> Iterator[Handover]:
        """Yield the hand-overs that the stage wrote and that name something; raises ValueError for a damaged one.

        Every build calls this for every stage, so a hand-over that names nothing, such as a lock, is not decoded but
        only checked to be JSON.
        """
        for kind in self.kind.writes:
            path = self.place_of(kind)
            if not path.exists():
                continue
            if kind.names_nothing():
                read_json(path)
            else:
                yield kind.from_text(path.read_text(encoding="utf-8"))

    def artefact_paths(self) -> Iterator[str]:
        """Yield the paths in the cache that the stage's hand-overs name; raises ValueError for a damaged one."""
        for handover in self.naming():
            yield from handover.artefacts()

    def write(self, value: Handover) -> None:
        """Write a hand-over; raises ValueError if `writes` does not list it."""
        if type(value) not in self.kind.writes:
            raise ValueError(f"{self.task} writes {value.FILE}, which is not among its outputs")
        self.earlier_origin_file.unlink(missing_ok=True)
        write_text(self.place_of(type(value)), value.to_text())

    def artefact(self, path: Path) -> str:
        """Return a path as hand-overs name it: relative to the cache."""
        return str(path.relative_to(self.cache))

    def artefact_of(self, path: Path) -> Artefact:
        """Return a finished file of the cache as hand-overs name it; it is read to its end. Raises OSError."""
        return Artefact(path=self.artefact(path), sha256=digest_of_file(path), size=Bytes(path.stat().st_size))
