"""What is said at the end of a build is true of the artefacts that there are."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from oic.files import write_text
from oic.handover.disk import Archive, Converted, Product, Products, RawDisk
from oic.handover.tree import Artefact
from oic.stage import Stage
from oic.stages import evidence
from oic.tasks.summary import Asked, Run, lines, results
from oic.values import ImageName

RUN = Run(ran=["disk:small"], reused=[], failed={}, seconds=1.0, notes=[])
ASKED = Asked(program="oic", stood_in=Path("/"), notes={ImageName("small"): ()}, json=False)


def product(cache: Path, form: str, compression: str = "") -> Product:
    path = f"small/small.{form}{compression and '.'}{compression}"
    (cache / path).write_bytes(b"x" * 4096)
    return Product(format=form, compression=compression, file=Artefact.of(path, b"x" * 4096))


def built(cache: Path, *records: Products) -> Stage[Any]:
    for record in records:
        write_text(cache / "small" / record.FILE, record.to_text())
    return Stage(
        kind=evidence.KIND,
        image=ImageName("small"),
        recipe=cache / "small.yml",
        cache=cache,
        slice=None,
        reads=tuple(map(type, records)),
    )


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    place = tmp_path / "My Images"
    (place / "small").mkdir(parents=True)
    return place


def test_dd_is_told_of_the_raw_disk_and_of_a_compressed_one_where_there_is_no_other(cache: Path) -> None:
    packed = Converted(products=(product(cache, "raw", "gz"),), made_of=(), partitions=())
    (said,) = (line for line in lines(RUN, [built(cache, packed)], ASKED) if "write it" in line)
    assert shlex.split(said)[2:6] == ["gzip", "-dc", f"{cache}/small/small.raw.gz", "|"]
    raw = RawDisk(products=(product(cache, "raw"),), partitions=())
    (said,) = (line for line in lines(RUN, [built(cache, raw, packed)], ASKED) if "write it" in line)
    assert shlex.split(said)[3] == f"if={cache}/small/small.raw"


def test_an_image_that_is_no_disk_is_not_to_be_booted(cache: Path) -> None:
    archive = Archive(products=(product(cache, "tar", "gz"),))
    assert "boot-test" not in "\n".join(lines(RUN, [built(cache, archive)], ASKED))
    packed = Converted(products=(product(cache, "qcow2"),), made_of=(), partitions=())
    assert "oic boot-test small.yml" in "\n".join(lines(RUN, [built(cache, packed, archive)], ASKED))


def test_what_a_file_takes_on_disk_is_said_where_it_is_less(cache: Path) -> None:
    raw = RawDisk(products=(product(cache, "raw"),), partitions=())
    stage = built(cache, raw)
    assert "  small.raw: 0 MB" in list(lines(RUN, [stage], ASKED))
    os.truncate(cache / "small/small.raw", 0)
    os.truncate(cache / "small/small.raw", 4096)
    assert "  small.raw: 0 MB, 0 MB of them on disk" in list(lines(RUN, [stage], ASKED))


def test_failures_are_said_with_their_messages_even_where_nothing_was_completed() -> None:
    failed = replace(RUN, ran=[], failed={"solve:small": "no such package", "solve:large": "no mirror"})
    assert list(lines(failed, [], ASKED)) == ["failed: solve:small, solve:large; 0 stages ran, 0 reused"]
    said = json.loads(results(failed, [], replace(ASKED, json=True)))
    assert said["failed"] == ["solve:small", "solve:large"]
    assert said["failures"][1] == {"task": "solve:large", "message": "no mirror"}


def test_each_artefact_is_a_line_of_the_results(cache: Path) -> None:
    raw = RawDisk(products=(product(cache, "raw"),), partitions=())
    packed = Converted(products=(product(cache, "raw", "gz"),), made_of=(), partitions=())
    said = results(RUN, [built(cache, raw, packed)], ASKED).splitlines()
    assert [line.split("  ")[0] for line in said] == [f"{cache}/small/small.raw", f"{cache}/small/small.raw.gz"]
