"""``boot-test``: a built image booted in qemu, its packages held against the lock, and what is said of it."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from oic.boottest.artefact import boot_disk
from oic.boottest.boot import boot_test
from oic.boottest.failure import BootError
from oic.boottest.installing import install
from oic.boottest.vm import BIOS, SETUP_MODE, UEFI, Machine
from oic.config.disk import IMG
from oic.config.iso import LIVE, installs
from oic.files import write_json
from oic.handover.disk import Payload, SignedFiles, VerifiedRoot
from oic.image.payload import PayloadIndex
from oic.provider import provider_of
from oic.stages.evidence import products_of
from oic.tasks.answers import lock_of, say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from oic.boottest.report import Report
    from oic.boottest.vm import Firmware
    from oic.config.model import FinalConfig, User
    from oic.stage import Stage

_MORE = 1 << 30


def can_log_in(user: User) -> bool:
    """Tell whether the boot test can log in as a user: by a password it knows, to a shell."""
    shell = user.shell.rpartition("/")[2]
    return user.password[:1] not in ("", "$") and not user.startup_script and shell not in ("nologin", "false")


def boot_built(config: FinalConfig, last: Stage[Any], timeout: float) -> None:
    """Boot what was built, up to the `last` stage, and compare it with the lock; raises OicError.

    Of an ISO, what its menu offers first is tried: the live system, or an installation and the disk that it leaves.
    """
    if config.target.image_type == IMG:
        hint = f"name {config.recipe.name} as systemConfig.initramfs.template of an ISO, and boot that"
        raise BootError("expected an image that a firmware starts, found an initramfs", hint=hint)
    firmware = BIOS if config.system.bootloader.boot_type == "legacy" else UEFI
    of_disk = _trusting_signer(last) if config.secure_boot else firmware
    work = last.path("work")
    work.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        if config.iso is None:
            disk = stack.enter_context(boot_disk(products_of(last), last.cache, work))
            report = _booted(config, last, disk.path, Machine(firmware=of_disk, image_format=disk.format), timeout)
        else:
            medium = last.cache / products_of(last)[0].file.path
            machine = Machine(firmware=firmware, medium=medium, keep=True)
            target = None
            if installs(config.iso) and config.iso.modes[0] != LIVE:
                target = stack.enter_context(_empty_disk(last, work / "boot-test.disk"))
                seconds = install(target, machine, last.path("log/boot-test-install.log"), timeout, _say_step)
                say(f"installed in {seconds:.0f} s under emulation")
                machine = Machine(firmware=of_disk)
            report = _booted(config, last, target, machine, timeout)
    write_json(last.path("boot-test.json"), report)
    say(f"booted: kernel {report.kernel}, {len(report.packages)} packages as locked, no unit failed")
    say(f"login after {report.seconds_to_login:.0f} s under emulation; report: {last.path('boot-test.json')}")


def _booted(config: FinalConfig, last: Stage[Any], disk: Path | None, machine: Machine, timeout: float) -> Report:
    return boot_test(
        disk,
        machine,
        expected={f"{entry.name}:{entry.architecture}": entry.version for entry in lock_of(last).sets["image"]},
        list_command=provider_of(config.distribution.provider).list_command(),
        users=[(user.name, user.password) for user in config.system.users if can_log_in(user)],
        log=last.path("log/boot-test.log"),
        timeout=timeout,
        report=_say_step,
        root_hash=_root_hash(config, last),
    )


def _root_hash(config: FinalConfig, last: Stage[Any]) -> str:
    """Return the root hash that a machine's root has to be verified against; nothing where that can be written to."""
    if config.read_only is None or (config.iso and config.iso.modes[:1] == (LIVE,)):
        return ""
    return VerifiedRoot.from_text(last.place_of(VerifiedRoot).read_text(encoding="utf-8")).root_hash.hexadecimal


def _trusting_signer(last: Stage[Any]) -> Firmware:
    """Return a firmware that has Secure Boot on, and trusts only the certificate of the image."""
    signed = SignedFiles.from_text(last.place_of(SignedFiles).read_text(encoding="utf-8"))
    say(f"Secure Boot is on, and the firmware trusts {signed.subject} alone")
    return replace(SETUP_MODE, certificate=(last.cache / signed.certificate.path).read_bytes())


@contextlib.contextmanager
def _empty_disk(last: Stage[Any], path: Path) -> Iterator[Path]:
    """Yield an empty disk that is larger than the installation needs, so that it has to grow."""
    index = last.cache / Payload.from_text(last.place_of(Payload).read_text(encoding="utf-8")).index.path
    least = msgspec.json.decode(index.read_bytes(), type=PayloadIndex).least
    try:
        with path.open("wb") as file:
            file.truncate(least + _MORE)
        yield path
    finally:
        path.unlink(missing_ok=True)


def _say_step(line: str) -> None:
    say(f"  {line}")
