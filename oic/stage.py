"""A stage as a value: what it is called, what it reads, what it writes, where it works."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from oic.files import digest_of_file, read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from oic.values import ImageName


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One task of the graph, ``name:image``.

    `slice_text` is the canonical JSON of the part of the final config it reads; `inputs` are hand-overs of other
    stages and `outputs` its own, the first of them its hand-over (file names in the image's directory). `version`
    changes whenever the stage would write something else from the same inputs. `refusals` are the recipe's fields
    that cannot be built. `memory` is a lock that remembers who signs, for a stage that asks mirrors; with `new_keys`
    nothing is remembered. Neither decides whether the stage is fresh.
    """

    name: str
    image: ImageName
    recipe: Path
    cache: Path
    slice_text: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    version: int
    lock_file: Path | None = None
    refusals: tuple[str, ...] = field(default=(), repr=False)
    memory: Path | None = field(default=None, repr=False)
    new_keys: bool = field(default=False, repr=False)

    @property
    def task(self) -> str:
        """Return the task's name for doit."""
        return f"{self.name}:{self.image}"

    @property
    def slice(self) -> dict[str, Any]:
        """Return the slice as a fresh dict."""
        return json.loads(self.slice_text)  # type: ignore[no-any-return]

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
        """Return the path of a file in the image's directory."""
        return self.directory / name

    @property
    def origin_file(self) -> Path:
        """Return where it is written what the stage's outputs were made from."""
        return self.directory / "slice" / f"{self.name}.json"

    def origin(self) -> dict[str, Any]:
        """Return all that decides what the stage writes: its version, its slice, and the digests of what it reads."""
        files = {name: self.path(name) for name in self.inputs}
        if self.lock_file:
            files["lock"] = self.lock_file
        found = {name: digest_of_file(path) if path.exists() else None for name, path in files.items()}
        return {"version": self.version, "slice": self.slice, "inputs": found}

    def read(self, name: str) -> Any:
        """Read a hand-over that is among the inputs."""
        if name not in self.inputs:
            raise ValueError(f"{self.task} reads {name} without saying so")
        return read_json(self.path(name))

    def write(self, value: dict[str, Any], name: str | None = None) -> None:
        """Write a hand-over; the stage is fresh while the files under its key ``artefacts`` exist in the cache."""
        target = name or self.outputs[0]
        if target not in self.outputs:
            raise ValueError(f"{self.task} writes {target} without saying so")
        write_json(self.path(target), value)

    def artefact(self, path: Path) -> str:
        """Return a path of the cache as hand-overs name it."""
        return str(path.relative_to(self.cache))
