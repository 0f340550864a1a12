"""A merged tree without problems → the values of `oic.config.model`, defaults filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.config.merge import unit_name
from oic.config.model import Bootloader, Command, Image, Kernel, Network, Services, System, Target, User
from oic.config.network import network_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oic.config.model import AdditionalFile
    from oic.config.source import Node

NETWORKD = "systemd-networkd.service"
"""What sets up interfaces; netplan hands them to it."""


def is_placeholder(text: str) -> bool:
    """Tell whether a text is a public sample's ``<…>``, to be replaced by its reader."""
    return text.startswith("<") and text.endswith(">")


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
    network = network_of(system.get("network"))
    return System(
        hostname=system.get("hostname").text,
        packages=tuple(dict.fromkeys(system.get("packages").texts)),
        excluded_packages=tuple(dict.fromkeys(system.get("excludePackages").texts)),
        recommends=system.get("recommends").true,
        kernel=_kernel(system.get("kernel")),
        bootloader=bootloader_of(system.get("bootloader")),
        network=network,
        users=tuple(_user(node) for node in system.get("users").items),
        files=tuple(files),
        commands=tuple(_command(node) for node in system.get("configurations").items),
        services=_services(system.get("services"), network),
        timezone=system.get("timezone").text,
        locale=system.get("locale").text,
        keymap=system.get("keymap").text,
        package_sources=system.get("packageSources").text or "keep",
        scriptlets_may_fail=_scriptlets(system.get("scriptletsMayFail"), family),
    )


def bootloader_of(loader: Node) -> Bootloader:
    """Return firmware interface and boot manager: UEFI and the one that goes with it, unless the recipe says others."""
    boot_type = loader.get("bootType").text or "efi"
    provider = loader.get("provider").text or ("grub" if boot_type == "legacy" else "systemd-boot")
    return Bootloader(boot_type=boot_type, provider="grub" if provider == "grub2" else provider)


def _kernel(kernel: Node) -> Kernel:
    return Kernel(
        packages=tuple(dict.fromkeys(kernel.get("packages").texts)),
        version=kernel.get("version").text,
        cmdline=kernel.get("cmdline").text.strip(),
        entries=kernel.get("entries").true,
        extra_modules=tuple(kernel.get("enableExtraModules").text.split()),
    )


def _user(user: Node) -> User:
    return User(
        name=user.get("name").text,
        password=user.get("password").text,
        hash_algo=user.get("hash_algo").text,
        password_max_age=user.get("passwordMaxAge").integer,
        startup_script=user.get("startupScript").text,
        groups=tuple(dict.fromkeys(one for one in user.get("groups").texts if not is_placeholder(one))),
        sudo=user.get("sudo").true,
        home=user.get("home").text,
        shell=user.get("shell").text,
        ssh_authorized_keys=user.get("sshAuthorizedKeys").texts,
    )


def _command(node: Node) -> Command:
    return Command(cmd=node.get("cmd").text, network=node.get("network").true)


def _scriptlets(words: Node, family: str) -> tuple[str, ...]:
    return () if family == "deb" else tuple(dict.fromkeys(words.texts))


def _services(services: Node, network: Network) -> Services:
    """Return the units; what sets up the interfaces is enabled, unless the recipe stops it."""
    enable, disable, mask = (_units(services.get(key)) for key in ("enable", "disable", "mask"))
    if network.interfaces and NETWORKD not in (*enable, *disable, *mask):
        enable = (*enable, NETWORKD)
    return Services(enable=enable, disable=disable, mask=mask)


def _units(names: Node) -> tuple[str, ...]:
    return tuple(dict.fromkeys(unit_name(name) for name in names.texts))
