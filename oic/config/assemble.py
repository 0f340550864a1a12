"""A merged tree without problems → the values of `oic.config.model`, defaults filled in."""

from __future__ import annotations

import os
import re
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING

from oic.config.merge import unit_name
from oic.config.model import AdditionalFile, Bootloader, Command, Image, Kernel, Services, System, Target, User
from oic.files import copy_and_hash, open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from oic.config.source import Node

_EXECUTABLE = 0o100
_OCTAL = re.compile(r"0?[0-7]{3,4}", re.ASCII)
_KERNELS = ("proc", "sys", "dev")


def image_of(tree: Node) -> Image:
    """Return what the artefacts are called."""
    return Image(name=tree.get("image", "name").text, version=tree.get("image", "version").text)


def target_of(tree: Node) -> Target:
    """Return which distribution, machine and kind of image."""
    target = tree.get("target")
    os_, dist, arch, kind = (target.get(key).text for key in ("os", "dist", "arch", "imageType"))
    return Target(os=os_, dist=dist, arch=arch, image_type=kind)


def system_of(tree: Node, files: Sequence[AdditionalFile], family: str) -> System:
    """Return what is in the image; `family` is that of its packages."""
    system = tree.get("systemConfig")
    loader = system.get("bootloader")
    return System(
        hostname=system.get("hostname").text,
        packages=tuple(dict.fromkeys(system.get("packages").texts)),
        recommends=system.get("recommends").true,
        kernel=_kernel(system.get("kernel")),
        bootloader=Bootloader(boot_type=loader.get("bootType").text, provider=loader.get("provider").text),
        users=tuple(_user(node) for node in system.get("users").items),
        files=tuple(files),
        commands=tuple(_command(node) for node in system.get("configurations").items),
        services=Services(**{key: _units(system.get("services", key)) for key in ("enable", "disable", "mask")}),
        timezone=system.get("timezone").text,
        locale=system.get("locale").text,
        keymap=system.get("keymap").text,
        package_sources=system.get("packageSources").text or "keep",
        scriptlets_may_fail=_scriptlets(system.get("scriptletsMayFail"), family),
    )


def files_of(tree: Node, problems: list[tuple[Node, str]]) -> tuple[AdditionalFile, ...]:
    """Return the additional files with the digests of what is there now; what cannot be a file is a problem."""
    return tuple(_file(node, problems) for node in _file_nodes(tree))


def file_notes(tree: Node, files: Sequence[AdditionalFile]) -> Iterator[tuple[Node, str]]:
    """Say which local files are not there."""
    for node, file in zip(_file_nodes(tree), files, strict=True):
        if file.sha256 is None:
            yield node.get("local"), f"expected a file, found none at {file.local}; a build will refuse it"


def outside_notes(tree: Node, files: Sequence[AdditionalFile]) -> Iterator[tuple[Node, str]]:
    """Say which files a recipe, which may be somebody else's, takes from elsewhere on this machine."""
    for node, file in zip(_file_nodes(tree), files, strict=True):
        if file.outside:
            said = f"{os.path.realpath(file.local)} goes into the image, from outside the recipe's directory"
            yield node.get("local"), said


def _file_nodes(tree: Node) -> list[Node]:
    return tree.get("systemConfig", "additionalFiles").items


def _file(node: Node, problems: list[tuple[Node, str]]) -> AdditionalFile:
    """Read one file, its bytes once."""
    local = node.get("local")
    beside = local.file.absolute().parent
    path = beside / local.text
    real = Path(os.path.realpath(path))
    outside = not real.is_relative_to(os.path.realpath(beside))
    digest, mode = None, 0o644
    try:
        status = path.stat()
        if outside and S_ISREG(status.st_mode) and real.parts[1] in _KERNELS:
            problems.append((local, f"expected a file that is yours, found one of /{real.parts[1]}: {path}"))
        elif S_ISREG(status.st_mode):
            with open_regular(path) as file:
                digest = copy_and_hash(file)
            mode = _mode(status.st_mode, local.file.stat().st_mode)
        elif local.text:
            found = "the directory" if S_ISDIR(status.st_mode) else "the device, pipe or socket"
            problems.append((local, f"expected a file, found {found} {path}"))
    except FileNotFoundError:
        pass  # validates with a note; a build refuses it
    except OSError as error:
        problems.append((local, f"expected a readable file, found {path}: {error.strerror}"))
    return AdditionalFile(
        local=path,
        final=node.get("final").text,
        sha256=digest,
        mode=int(node.get("mode").text, 8) if _OCTAL.fullmatch(node.get("mode").text) else mode,
        owner=node.get("owner").text,
        outside=outside and digest is not None,
    )


def _mode(local: int, recipe: int) -> int:
    """Return a file's mode in the image when the recipe gives none; no umask may show in it.

    It is 0755 or 0644 by the owner's execute bit, but nothing for a group or others who may read the recipe and not the
    file: under a umask that closes both, both are closed.
    """
    mode = 0o755 if local & _EXECUTABLE else 0o644
    closed = recipe & ~local & 0o044
    return mode & ~(closed | closed >> 2)


def _kernel(kernel: Node) -> Kernel:
    return Kernel(
        packages=tuple(dict.fromkeys(kernel.get("packages").texts)),
        version=kernel.get("version").text,
        cmdline=kernel.get("cmdline").text,
        extra_modules=tuple(kernel.get("enableExtraModules").text.split()),
        uki=kernel.get("uki").true,
    )


def _user(user: Node) -> User:
    return User(
        name=user.get("name").text,
        password=user.get("password").text,
        hash_algo=user.get("hash_algo").text,
        password_max_age=user.get("passwordMaxAge").integer,
        startup_script=user.get("startupScript").text,
        groups=tuple(dict.fromkeys(user.get("groups").texts)),
        sudo=user.get("sudo").true,
        home=user.get("home").text,
        shell=user.get("shell").text,
        ssh_authorized_keys=user.get("sshAuthorizedKeys").texts,
    )


def _command(node: Node) -> Command:
    return Command(cmd=node.get("cmd").text, network=node.get("network").true)


def _scriptlets(words: Node, family: str) -> tuple[str, ...]:
    return () if family == "deb" else tuple(dict.fromkeys(words.texts))


def _units(names: Node) -> tuple[str, ...]:
    return tuple(dict.fromkeys(unit_name(name) for name in names.texts))
