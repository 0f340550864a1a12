"""``boot-test``: a built image booted in qemu, its packages held against the lock, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oic.boottest.artefact import boot_disk
from oic.boottest.boot import boot_test
from oic.boottest.vm import BIOS, UEFI, Machine
from oic.files import write_json
from oic.provider import provider_of
from oic.stages.evidence import products_of
from oic.tasks.answers import lock_of, say

if TYPE_CHECKING:
    from oic.config.model import FinalConfig, User
    from oic.stage import Stage


def can_log_in(user: User) -> bool:
    """Tell whether the boot test can log in as a user: by a password it knows, to a shell."""
    shell = user.shell.rpartition("/")[2]
    return user.password[:1] not in ("", "$") and not user.startup_script and shell not in ("nologin", "false")


def boot_built(config: FinalConfig, last: Stage[Any], timeout: float) -> None:
    """Boot what was built, up to the `last` stage, and compare it with the lock; raises OicError."""
    firmware = BIOS if config.system.bootloader.boot_type == "legacy" else UEFI
    lock = lock_of(last)
    with boot_disk(products_of(last), last.cache, last.path("work")) as disk:
        report = boot_test(
            disk.path,
            Machine(firmware=firmware, image_format=disk.format),
            expected={f"{entry.name}:{entry.architecture}": entry.version for entry in lock.sets["image"]},
            list_command=provider_of(config.distribution.provider).list_command(),
            users=[(user.name, user.password) for user in config.system.users if can_log_in(user)],
            log=last.path("log/boot-test.log"),
            timeout=timeout,
            report=lambda line: say(f"  {line}"),
        )
    write_json(last.path("boot-test.json"), report)
    say(f"booted: kernel {report.kernel}, {len(report.packages)} packages as locked, no unit failed")
    say(f"login after {report.seconds_to_login:.0f} s under emulation; report: {last.path('boot-test.json')}")
