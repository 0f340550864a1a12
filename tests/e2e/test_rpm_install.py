"""Packages that are signed and bad: what they bring gets nowhere, and what they run is ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from provider.rpm.surgery import TRAILER, cpio_entry, package

from oic.process.run import TIMEOUT_VARIABLE

from .tiny_rpm import hello, sealed

if TYPE_CHECKING:
    from pathlib import Path

    from provider.rpm.keys import Key
    from provider.rpm.surgery import Parts

    from .bench import Bench
    from .tiny_rpm import TinyRpm

FILE, SETUID, DEVICE, LINK = 0o100644, 0o104755, 0o020666, 0o120777
ESCAPED = "outside-of-every-root"


def _bad(name: str, payload: bytes) -> Parts:
    """Return a package whose payload is not what its header says, and whose digests are right."""
    return package(("/opt/extra", b"abc", FILE), payload=payload, name=name)


EXTRA = cpio_entry("./opt/extra", b"abc")
BAD = {
    "a path with ..": (cpio_entry(f"./opt/../../../{ESCAPED}") + TRAILER, "expected a path below the root"),
    "a bomb": (EXTRA + TRAILER + bytes(64 << 20), "expected the end of the payload after"),
    "another mode": (cpio_entry("./opt/extra", b"abc", SETUID) + TRAILER, "expected mode 100644 of '/opt/extra'"),
    "a device": (cpio_entry("./opt/extra", mode=DEVICE) + TRAILER, "expected mode 100644 of '/opt/extra' in the"),
    "an absolute path": (cpio_entry(f"/tmp/{ESCAPED}") + TRAILER, "expected a file of the header in the payload"),
    "a link for a file": (cpio_entry("./opt/extra", b"/et", LINK) + TRAILER, "expected mode 100644 of '/opt/extra'"),
    "other content": (cpio_entry("./opt/extra", b"cba") + TRAILER, "expected sha256 "),
    "another size": (cpio_entry("./opt/extra", b"abcd") + TRAILER, "expected 3 bytes of '/opt/extra', as the header"),
    "a file nobody listed": (EXTRA + cpio_entry("./opt/more") + TRAILER, "expected a file of the header in the"),
    "nothing": (TRAILER, "expected 1 more files in the payload, '/opt/extra' for one"),
}
"""Of all these rpm itself refuses the half, the package before them installed."""


def _never_finished(bench: Bench, *stages: str) -> None:
    assert not [stage for stage in stages if (bench.image / f"{stage}.json").exists()]
    assert not (bench.place / ESCAPED).exists()


@pytest.mark.parametrize("cases", [tuple(BAD)[:3], pytest.param(tuple(BAD)[3:], marks=pytest.mark.slow)])
def test_a_payload_that_is_not_its_header_s(
    cases: tuple[str, ...], rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key]
) -> None:
    """Of the image or of its tools, whichever the package is for."""
    for number, (payload, words) in enumerate(BAD[case] for case in cases):
        name = ("extra", "hello")[number % 2]
        changed: dict[str, Any] = {name: sealed(_bad(name, payload), keys["own"])}
        tiny_rpms.publish(revision=1000 + number, **changed)
        rpm_bench.forget_metadata()
        rpm_bench.oic("rootfs").refused_in_one_line(f"verify:small failed: {name} 1.0-1: ", words)
        rpm_bench.keeps_nothing_unverified()
        _never_finished(rpm_bench, "verify", "chroot", "rootfs")
    tiny_rpms.publish(revision=2000)
    rpm_bench.forget_metadata()
    rpm_bench.oic("rootfs").succeeded("2 packages unpacked", "3 packages installed")


def test_a_link_out_of_the_root_leads_back_in(rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key]) -> None:
    place = rpm_bench.place / "target"
    place.mkdir()
    files = (("/opt/out", str(place).encode(), LINK), (f"/opt/out/{ESCAPED}", b"abc", FILE))
    tiny_rpms.publish(extra=sealed(package(*files, name="extra"), keys["own"]))
    rpm_bench.oic("chroot").succeeded("2 packages unpacked")
    assert not list(place.iterdir())
    (inside,) = rpm_bench.cache.glob(f"layers/*/tree/**/{ESCAPED}")
    assert inside.read_bytes() == b"abc"


FAILING = {
    "the scriptlet %post of hello failed: exit status 7": "%post\nexit 7",
    "scriptlet %prein(hello-0:1.0-1.noarch) failed: ": "%pre\nexit 7",
    "the scriptlet %posttrans of hello failed: exit status 7": "%posttrans\nexit 7",
}


@pytest.mark.parametrize("cases", [tuple(FAILING)[:1], pytest.param(tuple(FAILING)[1:], marks=pytest.mark.slow)])
def test_a_scriptlet_that_fails(
    cases: tuple[str, ...], rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key], tmp_path: Path
) -> None:
    log = rpm_bench.image / "log/rootfs.log"
    for number, (words, script) in enumerate((case, FAILING[case]) for case in cases):
        file = keys["own"].sign(hello(script).make(tmp_path / str(number)))
        tiny_rpms.publish(revision=2000 + number, hello=file.read_bytes())
        rpm_bench.forget_metadata()
        rpm_bench.oic("rootfs").refused_in_one_line(f"rootfs:small failed: {log}: {words}")
        _never_finished(rpm_bench, "rootfs")
    tiny_rpms.publish(revision=3000)
    rpm_bench.oic("update").succeeded()
    rpm_bench.oic("rootfs").succeeded("3 packages installed")


def test_a_scriptlet_that_hangs(rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key], tmp_path: Path) -> None:
    file = keys["own"].sign(hello("%post\nsleep 1000").make(tmp_path / "made"))
    tiny_rpms.publish(hello=file.read_bytes())
    rpm_bench.environment[TIMEOUT_VARIABLE] = "3"
    words = "the scriptlet %post(hello) did not end: rpm did not end within 3 s and was killed"
    rpm_bench.oic("rootfs").refused_in_one_line("rootfs:small failed: ", words, f"{TIMEOUT_VARIABLE}=SECONDS")
    _never_finished(rpm_bench, "rootfs")
    tiny_rpms.publish(revision=3000)
    rpm_bench.oic("update").succeeded()
    rpm_bench.oic("rootfs").succeeded("3 packages installed")
