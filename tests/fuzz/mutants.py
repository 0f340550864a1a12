"""Inputs made of others by a seed: the same each time. What coverage guides is `engine`'s."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BYTES = (b"\0", b"\xff", b"\n", b"\x1b", b" ", b"0", b"9" * 20, b"..", b"/", b"\xc2\x85", b"\x7f\xff\xff\xff", b"%2e")


def mutants_of(inputs: Sequence[bytes], count: int, name: str, most: int) -> Iterator[bytes]:
    """Yield `count` inputs of `most` bytes at most, each an input with a few changes."""
    dice = random.Random(name)
    for _ in range(count):
        data = bytearray(dice.choice(inputs))
        for _ in range(dice.choice((1, 1, 2, 4, 8))):
            _change(data, inputs, dice)
        yield bytes(data[:most])


def _change(data: bytearray, inputs: Sequence[bytes], dice: random.Random) -> None:
    at = dice.randrange(len(data) + 1)
    end = min(len(data), at + dice.choice((1, 1, 2, 4, 16, 64)))
    match dice.randrange(6):
        case 0 if at < len(data):
            data[at] ^= 1 << dice.randrange(8)
        case 1:
            del data[at:end]
        case 2:
            data[at:at] = data[at:end] * dice.choice((1, 2, 30))
        case 3:
            data[at:at] = dice.choice(_BYTES)
        case 4:
            data[at:end] = dice.choice(_BYTES)
        case _:
            other = dice.choice(inputs)
            start = dice.randrange(len(other) + 1)
            data[at:end] = other[start : start + dice.choice((1, 8, 64, 1024))]
