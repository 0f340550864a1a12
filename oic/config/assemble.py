"""A merged tree without problems → the values of `oic.config.model`, defaults filled in."""

from __future__ import annotations

from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING

from oic.config.merge import unit_name
from oic.config.model import AdditionalFile, Bootloader, Command, Image, Kernel, Services, System, Target, User
from oic.files import digest_of_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from oic.config.source import Node

_EXECUTABLE = 0o100


def image_of(tree: Node) -> Image:
    """Return what the artefacts are called."""
    return Image(name=tree.get("image", "name").text, version=tree.get("image", "version").text)


def target_of(tree: Node) -> Target:
    """Return which distribution, machine and kind of image."""
    target = tree.get("target")
    os_, dist, arch, kind = (target.get(key).text for key in ("os", "dist", "arch", "imageType"))
    return Target(os=os_, dist=dist, arch=arch, image_type=kind)


def system_of(tree: Node, files: Sequence[AdditionalFile]) -> System:
    """Return what is in the image."""
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
    )


def files_of(tree: Node, problems: list[tuple[Node, str]]) -> tuple[AdditionalFile, ...]:
    """Return the additional files with the digests of what is there now; what cannot be a file is a problem."""
    return tuple(_file(node, problems) for node in _file_nodes(tree))


def file_notes(tree: Node, files: Sequence[AdditionalFile]) -> Iterator[tuple[Node, str]]:
    """Say which local files are not there."""
    for node, file in zip(_file_nodes(tree), files, strict=True):
        if file.sha256 is None:
            yield node.get("local"), f"expected a file, found none at {file.local}; a build will refuse it"


def _file_nodes(tree: Node) -> list[Node]:
    return tree.get("systemConfig", "additionalFiles").items


def _file(node: Node, problems: list[tuple[Node, str]]) -> AdditionalFile:
    """Read one file; the mode is 0755 or 0644 by the owner's execute bit: no umask may show in the image."""
    local = node.get("local")
    path = local.file.absolute().parent / local.text
    digest, mode = None, 0o644
    try:
        status = path.stat()
        if S_ISREG(status.st_mode):
            digest = digest_of_file(path)
            mode = 0o755 if status.st_mode & _EXECUTABLE else 0o644
        elif local.text:
            found = "the directory" if S_ISDIR(status.st_mode) else "the device, pipe or socket"
            problems.append((local, f"expected a file, found {found} {path}"))
    except FileNotFoundError:
        pass  # validates with a note; a build refuses it
    except OSError as error:
        problems.append((local, f"expected a readable file, found {path}: {error.strerror}"))
    return AdditionalFile(local=path, final=node.get("final").text, sha256=digest, mode=mode)


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


def _units(names: Node) -> tuple[str, ...]:
    return tuple(dict.fromkeys(unit_name(name) for name in names.texts))
