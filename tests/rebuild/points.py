"""The exact points at which builds are killed: audit events of a stage, such as the start of a program, and a delay."""

from __future__ import annotations

from dataclasses import dataclass

from .place import STAGES


@dataclass(frozen=True, kw_only=True)
class Point:
    """The count-th `event` whose arguments contain `text`, or `delay` seconds after it."""

    stage: str
    event: str
    text: str
    count: int = 1
    delay: float = 0

    def __str__(self) -> str:
        after = f"+{self.delay}s" if self.delay else ""
        return f"{self.stage}-{self.event}-{self.text.replace('/', '_')}-{self.count}{after}"


HANDOVERS = {
    "metadata": "index",
    "solve": "lock",
    "verify": "trust",
    "disk": "image",
    "evidence": "small-1.0.0.manifest",
}


def begun_handover(stage: str) -> Point:
    """Return the point just before the file is created that will become the hand-over."""
    return Point(stage=stage, event="open", text=f"small/.{HANDOVERS.get(stage, stage)}.json")


def rename_of(stage: str) -> Point:
    """Return the point just before the hand-over is renamed to its final name."""
    return Point(stage=stage, event="os.rename", text=f"small/{HANDOVERS.get(stage, stage)}.json")


def before_record(stage: str) -> Point:
    """Return the point at which the stage has finished, but doit has not recorded it."""
    return Point(stage=stage, event="record", text=f"{stage}:small")


def common(stage: str) -> list[Point]:
    return [
        begun_handover(stage),
        rename_of(stage),
        Point(stage=stage, event="os.rename", text=f"slice/{stage}.json"),
        before_record(stage),
    ]


def at(stage: str, event: str, text: str = "", count: int = 1, delay: float = 0) -> Point:
    return Point(stage=stage, event=event, text=text or "/", count=count, delay=delay)


SHARED = [
    at("metadata", "subprocess.Popen", "gpg"),
    at("metadata", "socket.connect", "("),
    at("solve", "open", "sha256/"),
    at("download", "socket.connect", "(", 3),
    at("download", "os.rename", "partial/", 5),
    at("download", "open", "partial/", 4),
    at("verify", "open", "sha256/", 40),
    at("chroot", "open", "layers/", 100),
    at("chroot", "open", "layers/", 400),
    at("chroot", "os.utime", "layers/", 50),
    at("chroot", "os.rename", "layers/", 2),
    at("rootfs", "os.utime", "layers/", 50),
    at("rootfs", "os.rename", "layers/", 2),
    at("system", "subprocess.Popen", "useradd", delay=0.01),
    at("system", "subprocess.Popen", "/bin/sh"),
    at("system", "os.rename", "vmlinuz"),
    at("system", "os.rename", "small/initrd-inputs.json"),
    at("system", "os.rename", "small/boot-inputs.json"),
    at("system", "os.rename", "layers/", 2),
    at("initrd", "open", ".initrd.img."),
    at("initrd", "os.rename", "initrd.img"),
    at("fs", "os.truncate", "rootfs.img"),
    at("fs", "subprocess.Popen", "mke2fs", delay=0.3),
    at("fs", "subprocess.Popen", "debugfs", delay=0.02),
    at("fs", "os.rename", "rootfs.img"),
    at("boot", "os.truncate", "esp.img"),
    at("boot", "subprocess.Popen", "mcopy", 3, delay=0.02),
    at("boot", "os.rename", "esp.img"),
    at("disk", "open", "small-1.0.0.raw", 2),
    at("disk", "open", "small-1.0.0.raw", 3, delay=0.2),
    at("disk", "os.rename", "small-1.0.0.raw"),
    at("evidence", "open", "manifest", 2),
    at("evidence", "open", "trust.json"),
]
"""Points for all families, in addition to `COMMON`; those of one family are in `families`."""

COMMON = [point for stage in STAGES for point in common(stage)]
