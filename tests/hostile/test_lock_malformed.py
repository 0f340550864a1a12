"""Locks of any shape: each is refused in one line that names the entry, and none in a traceback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .locks import package

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.bench import Bench

NUL = "file:///etc/host\0name"
SHAPES: dict[str, tuple[Callable[[Any], object], str]] = {
    "a NUL in a URL": (
        lambda data: package(data, "hello").update(url=NUL),
        "package 'hello' of image: url: expected an http(s) or file URL, found 'file:///etc/host\\x00name'",
    ),
    "half a character": (
        lambda data: package(data, "hello").update(location="\ud800"),
        "package 'hello' of image: location: expected text, found '\\ud800'",
    ),
    "signers that are numbers": (
        lambda data: data["repositories"][0].update(signers=[1]),
        "repository 'tiny': signers: expected fingerprints of 40 or 64 hexadecimal digits, found 1",
    ),
    "signers that are a word": (
        lambda data: data["repositories"][0].update(signers="abc"),
        "repository 'tiny': signers: expected a list, found 'abc'",
    ),
    "a repository's name that is a list": (
        lambda data: data["repositories"][0].update(name=["tiny"]),
        "repository 1: name: expected a repository's name, found a list",
    ),
    "asked as a list": (lambda data: data.update(asked=[]), "the lock: asked: expected an object, found a list"),
    "asked with objects": (
        lambda data: data["asked"]["sets"]["image"].update(names=[{}]),
        "the lock: asked: 'image': names: expected text, found an object",
    ),
    "asked with a list": (
        lambda data: data["asked"].update(recommends=[]),
        "the lock: asked: recommends: expected true or false, found a list",
    ),
    "no sets": (lambda data: data.update(sets={}), "the lock: sets: expected image and tools, found ''"),
    "no tools": (lambda data: data["sets"].pop("tools"), "the lock: sets: expected image and tools, found 'image'"),
    "one more set": (lambda data: data["sets"].update(evil=[]), "expected image and tools, found 'evil, image, tools'"),
    "a set of words": (
        lambda data: data["sets"].update(tools=["tools"]),
        "expected package 1 of tools of a lock to be an object, found 'tools'",
    ),
    "essential as a word": (
        lambda data: package(data, "hello").update(essential="no"),
        "package 'hello' of image: essential: expected true or false, found 'no'",
    ),
    "a size that is true": (
        lambda data: package(data, "hello").update(size=True),
        "package 'hello' of image: size: expected a number of bytes, found True",
    ),
    "requires of numbers": (
        lambda data: package(data, "hello").update(requires=[1]),
        "expected package 'hello' of image: requires 1 of a lock to be an object, found 1",
    ),
    "a relation that is a number": (
        lambda data: package(data, "hello").update(requires=[{"kind": "Depends", "relation": 1, "package": "base"}]),
        "package 'hello' of image: requires 1: relation: expected text, found 1",
    ),
    "a field more": (lambda data: package(data, "hello").update(evil=1), "expected no field but name, version, "),
    "a field less": (lambda data: package(data, "hello").pop("sha256"), "expected the field sha256, found none"),
    "a repository twice": (
        lambda data: data["repositories"].append(data["repositories"][0]),
        "the repositories: duplicate tiny",
    ),
    "a repository nobody has": (
        lambda data: package(data, "hello").update(repository="evil"),
        "package 'hello' of image: repository: expected a repository of the lock, found 'evil'",
    ),
    "an index of no repository": (
        lambda data: data["indexes"].update(evil=[]),
        "the indexes: expected those of the lock's repositories, found 'evil'",
    ),
    "an index of another host": (
        lambda data: data["indexes"]["tiny"][0].update(url="http://evil.invalid/x"),
        "the indexes: tiny: expected URLs below http://",
    ),
    "a key that counts by nothing": (
        lambda data: data["repositories"][0]["keys"].append(
            {"url": "https://evil.invalid/k", "sha256": "0" * 64, "size": 1, "fingerprints": []}
        ),
        "expected the fingerprints of the key https://evil.invalid/k, found none",
    ),
    "a URL that is none": (
        lambda data: data["repositories"][0].update(url="http://[x"),
        "repository 'tiny': url: expected an http(s) or file URL, found 'http://[x'",
    ),
    "a format that is true": (lambda data: data.update(format=True), "expected a lock of format 3, found True"),
}
TEXTS = {
    "[" * 200_000: "expected a lock, found what cannot be read: it is nested too deeply",
    '{"format": 3, "format": 2}': "expected a lock, found what cannot be read: duplicate key 'format'",
    '{"format": ' + "9" * 5000 + "}": "expected a lock, found what cannot be read: Exceeds the limit",
    "\0": "expected a lock, found what cannot be read: ",
    "null": "expected a lock of format 3, found None",
}


def test_any_other_shape_is_refused_in_one_line_that_names_the_entry(bench: Bench) -> None:
    bench.oic("lock").succeeded()
    file = bench.place / "small.lock.json"
    good = file.read_text()
    for case, (change, words) in SHAPES.items():
        data = json.loads(good)
        change(data)
        file.write_text(json.dumps(data))
        refusal = bench.oic("solve")
        assert f"solve:small failed: {file}: " in refusal.said, case
        refusal.refused_in_one_line(words, "doit lock image=… writes a new one")
    for text, words in TEXTS.items():
        file.write_text(text)
        bench.oic("solve").refused_in_one_line(f"solve:small failed: {file}: {words}")
        bench.oic("update").refused_in_one_line(words)


def test_no_terminal_code_of_a_lock_is_printed(bench: Bench) -> None:
    bench.oic("lock").succeeded()
    file = bench.place / "small.lock.json"
    data = json.loads(file.read_text())
    package(data, "hello")["repository"] = "\x1b]0;evil\x07"
    file.write_text(json.dumps(data))
    said = bench.oic("solve")
    said.refused_in_one_line("found '\\x1b]0;evil\\x07'")
    assert "\x1b" not in said.said
