"""What scripts of packages write into an image, read for private keys and for what differs between two builds."""

from __future__ import annotations

import base64
import subprocess
from typing import TYPE_CHECKING

from fuzz.harness import Harness
from oic.image.tree.privatekeys import private_key_in
from oic.reproduce.content import Span, what_differs

if TYPE_CHECKING:
    from collections.abc import Sequence

_NOW = 1_790_000_000
_SPANS = (Span(start=_NOW, end=_NOW + 60), Span(start=_NOW + 86400, end=_NOW + 86460))
_HALVES = b"\n=====\n"
_LONG = 1 << 20
_BEGIN, _PLAIN = b"-----BEGIN PRIVATE KEY-----\n", b"-----BEGIN CERTIFICATE-----\n"


def _kind(data: bytes) -> None:
    assert private_key_in(data).isprintable()


def _differences(data: bytes) -> None:
    first, _, second = data.partition(_HALVES)
    words = what_differs(first, second, _SPANS)
    assert words
    assert all(word.isprintable() for word in words)


def _keys() -> Sequence[bytes]:
    argv = ["openssl", "genpkey", "-algorithm", "ED25519"]
    made = subprocess.run(argv, capture_output=True, check=True).stdout
    rsa = b"\x30\x82\x00\x1a\x02\x01\x00" + b"\x02\x01\x01" * 6
    old = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: A,0\n\n" + base64.b64encode(bytes(48))
    long = [
        part * (_LONG // len(part))
        for part in (_BEGIN, b"\n", b" ", b"A ", b"PrivateKey\n", b"0\x84", b"-----BEGIN A ")
    ]
    return [made, rsa, old + b"\n-----END RSA PRIVATE KEY-----\n", b"PrivateKey = ", b"Key: (private-key ", *long]


def _pairs() -> Sequence[bytes]:
    moments = (_NOW + 5, _NOW + 86405)
    texts = [b"%d" % moment for moment in moments], [b"id 01234567-89ab-cdef-0123-456789abcdef", b"id 1"]
    long = [
        part * (_LONG // len(part)) for part in (_PLAIN, b"Jan ", b"1", b"a", b"01234567-", _NOW.to_bytes(4, "big"))
    ]
    return [_HALVES.join(pair) for pair in texts] + [part + _HALVES + part[:-1] + b"!" for part in long]


HARNESSES = (
    Harness(name="private-keys", run=_kind, seeds=_keys),
    Harness(name="differences", run=_differences, seeds=_pairs, mutants=300),
)
