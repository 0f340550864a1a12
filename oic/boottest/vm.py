"""A virtual machine that runs during a `with` block: qemu, a firmware, and the image as its disk.

* The image is opened read-only; writes of the guest go to a temporary file without a name, and so does a copy of the
  firmware's variables, so that nothing is left however the test ends.
* The firmware is OVMF for UEFI, with or without Secure Boot, and SeaBIOS, which qemu brings, for BIOS.
* The processor is always emulated, so that hosts do not differ. The network is qemu's: DHCP works, nothing
  else, unless the test asks for more.
* qemu is killed at the end of the block, and when this process dies (PR_SET_PDEATHSIG, by setpriv).
"""

from __future__ import annotations

import base64
import contextlib
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from oic.boottest.console import Console
from oic.boottest.failure import BootError
from oic.config.architecture import X86_64
from oic.errors import ToolError
from oic.process.run import ENVIRONMENT, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

QEMU = X86_64.qemu
FIRMWARE = Path("/usr/share/OVMF")
CODE = "OVMF_CODE_4M.fd"
VARS = "OVMF_VARS_4M.fd"
SECURE_CODE = "OVMF_CODE_4M.secboot.fd"
MICROSOFT_VARS = "OVMF_VARS_4M.ms.fd"
FAULTLESS_CX16 = 8
INSTALL = "apt-get install --no-install-recommends qemu-system-x86 ovmf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Firmware:
    """OVMF's two files, or none for qemu's BIOS; `secure` has Secure Boot on, trusting a `certificate` (DER) alone."""

    code: str = ""
    variables: str = ""
    secure: bool = False
    certificate: bytes = b""


UEFI = Firmware(code=CODE, variables=VARS)
SECURE_BOOT = Firmware(code=SECURE_CODE, variables=MICROSOFT_VARS, secure=True)
"""Trusts what Microsoft has signed, as most machines do when they are bought."""
SETUP_MODE = Firmware(code=SECURE_CODE, variables=VARS, secure=True)
"""Trusts nobody yet, and starts anything."""
BIOS = Firmware()
BUSES = {
    "virtio": ("virtio-blk-pci",),
    "sata": ("ide-hd",),
    "nvme": ("nvme", "serial=oic"),
    "usb": ("usb-storage", "bus=usb.0"),
}
"""What a disk can be on, and qemu's device for it."""
MEDIA = {"cd": ("ide-cd", "bus=ide.5"), "stick": (*BUSES["usb"], "removable=on"), "virtio": BUSES["virtio"]}
"""What a medium can be: a CD on AHCI, a stick on USB, or for kernels that know neither, a disk of a virtual machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A further disk: a raw image, and one of `BUSES`. What is written to one that is not `read_only` is kept."""

    image: Path
    bus: str = "virtio"
    read_only: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What an image is booted on: a firmware, and further disks.

    `image_format` is qemu's word for the format of the image, `bus` one of `BUSES`. With `keep`, what the guest writes
    to its own disk is in the image afterwards. With `network`, the guest reaches this host, at 10.0.2.2, and what that
    reaches. It boots from the `medium` if there is one, which is one of `MEDIA`. `memory` is in MiB. The firmware's
    `variables` are kept in a file if one is named, which is made where it is missing.
    """

    firmware: Firmware = UEFI
    image_format: str = "raw"
    disks: tuple[Disk, ...] = ()
    keep: bool = False
    network: bool = False
    bus: str = "virtio"
    medium: Path | None = None
    medium_is: str = "cd"
    memory: int = 2048
    variables: Path | None = None


@contextlib.contextmanager
def started(image: Path | None, machine: Machine, *, credentials: Mapping[str, str], log: Path) -> Iterator[Console]:
    """Boot `image`, or the machine's medium, and yield its serial console; qemu is killed when the block ends.

    `credentials` reach systemd as SMBIOS strings (systemd.system-credentials(7)). Raises
    ToolError when the host has no qemu or no OVMF.
    """
    qemu = _required(machine.firmware)
    for file in filter(None, (image, machine.medium)):
        if not file.is_file():
            raise BootError("there is no image to boot", where=str(file), hint="build it first")
    with _variables(machine) as variables, tempfile.TemporaryFile() as complaints:
        argv = ["setpriv", "--pdeathsig", "KILL", qemu]
        argv += machine_arguments(image, machine, variables.fileno(), credentials, cpu=_cpu(qemu))
        with _running(argv, variables, complaints) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            console = Console(
                process.stdout.fileno(),
                process.stdin.fileno(),
                log=log,
                describe_end=lambda: _describe_end(process, complaints),
            )
            with contextlib.closing(console):
                yield console


def machine_arguments(
    image: Path | None, machine: Machine, variables: int, credentials: Mapping[str, str], *, cpu: str
) -> list[str]:
    """Return qemu's arguments: two processors, memory, disks, a network card, a source of entropy, a serial line."""
    arguments = [*_firmware_arguments(machine.firmware, variables), "-accel", "tcg", "-cpu", cpu, "-smp", "2"]
    arguments += ["-m", str(machine.memory), "-nodefaults", "-no-reboot"]
    arguments += ["-display", "none", "-monitor", "none", "-serial", "stdio"]
    if machine.medium_is == "stick" or "usb" in (machine.bus, *(disk.bus for disk in machine.disks)):
        arguments += ["-device", "qemu-xhci,id=usb"]
    # No locks: other processes may read or boot the image at the same time.
    kept = "snapshot=off" if machine.keep else "snapshot=on"
    if image:
        index = f"bootindex={1 if machine.medium else 0}"
        arguments += _disk(image, "disk", f"format={machine.image_format},{kept}", _device(machine.bus, 0), index)
    if machine.medium:
        arguments += _disk(machine.medium, "medium", "format=raw,readonly=on", MEDIA[machine.medium_is], "bootindex=0")
    for number, disk in enumerate(machine.disks, 1):
        option = f"format=raw,{'readonly=on' if disk.read_only else 'snapshot=off'}"
        arguments += _disk(disk.image, f"disk{number}", option, _device(disk.bus, number))
    restricted = "off" if machine.network else "on"
    arguments += ["-netdev", f"user,id=net,restrict={restricted}", "-device", "virtio-net-pci,netdev=net,romfile="]
    arguments += ["-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng"]
    for name, content in credentials.items():
        packed = base64.b64encode(content.encode()).decode()
        arguments += ["-smbios", f"type=11,value=io.systemd.credential.binary:{name}={packed}"]
    return arguments


def _firmware_arguments(firmware: Firmware, variables: int) -> list[str]:
    if not firmware.code:
        return ["-machine", "q35,graphics=off"]  # without graphics, SeaBIOS uses the serial line
    secure = ["-global", "driver=cfi.pflash01,property=secure,value=on"] if firmware.secure else []
    return [
        *("-machine", "q35,smm=on" if firmware.secure else "q35", *secure),
        *("-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={FIRMWARE / firmware.code}"),
        *("-drive", f"if=pflash,unit=1,format=raw,file=/proc/self/fd/{variables}"),
    ]


def _device(bus: str, port: int) -> tuple[str, ...]:
    return (*BUSES[bus], f"bus=ide.{port}") if bus == "sata" else BUSES[bus]  # each port of AHCI takes one device


def _disk(file: Path, name: str, option: str, kind: Sequence[str], *device: str) -> list[str]:
    # A comma ends an option's value unless doubled (qemu(1), "-drive").
    path = str(file.absolute()).replace(",", ",,")
    drive = f"if=none,id={name},{option},file.locking=off,file={path}"
    return ["-drive", drive, "-device", ",".join((*kind, f"drive={name}", *device))]


@contextlib.contextmanager
def _variables(machine: Machine) -> Iterator[IO[bytes]]:
    """Yield the file with the firmware's variables, which is gone afterwards unless the machine keeps it."""
    kept = machine.variables
    with tempfile.TemporaryFile() if kept is None else kept.open("r+b" if kept.exists() else "w+b") as file:
        if machine.firmware.variables and not file.read(1):
            file.write(_content(machine.firmware))
            file.flush()
        yield file


def _content(firmware: Firmware) -> bytes:
    content = (FIRMWARE / firmware.variables).read_bytes()
    if firmware.certificate:
        from oic.boottest.variables import with_certificate  # noqa: PLC0415 - only where it is needed

        return with_certificate(content, firmware.certificate)
    return content


def _required(firmware: Firmware) -> str:
    qemu = shutil.which(QEMU, path=ENVIRONMENT["PATH"])
    if qemu is None:
        raise ToolError(f"{QEMU} is not on this host", hint=f"install it: {INSTALL}")
    for name in filter(None, (firmware.code, firmware.variables)):
        if not (FIRMWARE / name).is_file():
            raise ToolError(
                "the firmware OVMF is not on this host", where=str(FIRMWARE / name), hint=f"install it: {INSTALL}"
            )
    return qemu


def _cpu(qemu: str) -> str:
    """Return the most capable processor that this qemu emulates without a bug that crashes kernels.

    Before version 8.0, an interrupt right after CMPXCHG16B leaves garbage in EFLAGS. The allocator of Linux 6.12 uses
    that instruction, and about every second boot ends with a double fault; without it, the kernel uses other code.

    Without ERMS, the kernel clears and copies memory by 8 bytes in place of one: a boot takes a quarter less time.
    """
    version = re.search(r"version (\d+)", run([qemu, "--version"]).text)
    return "max,-erms,-cx16" if version and int(version[1]) < FAULTLESS_CX16 else "max,-erms"


@contextlib.contextmanager
def _running(argv: list[str], variables: IO[bytes], complaints: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program and kill it at the end; `run.run` is not for programs that run beside this process."""
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=ENVIRONMENT,
            pass_fds=(variables.fileno(),),
            start_new_session=True,
            bufsize=0,
        )
    except OSError as error:
        raise ToolError(f"{argv[0]} could not be started: {error}") from error
    with process:
        try:
            yield process
        finally:
            process.kill()


def _describe_end(process: subprocess.Popen[bytes], complaints: IO[bytes]) -> str:
    status = process.wait(timeout=10)
    complaints.seek(0)
    said = complaints.read().decode("utf-8", "replace").strip()
    if status == 0:  # its output contains only warnings
        return "the machine switched itself off or rebooted"
    return f"qemu ended with status {status}: {said or 'it said nothing'}"
