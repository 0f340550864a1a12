"""The network of an installed system, in files of what configures it: systemd.network(5) or netplan.

* A file of networkd begins with 05, so that it is read before any that the image has.
* In a system with netplan's configuration, the interface replaces the one of the recipe in the recipe's own file, which
  is JSON; netplan would otherwise join the addresses of both.
"""

from __future__ import annotations

import ipaddress
import json
from typing import TYPE_CHECKING, Any

from .errors import InstallError
from .tree import inside, read_text, write_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .answers import Interface

_OF_RECIPE = "/etc/netplan/50-image.yaml"
_OF_ANSWERS = "/etc/netplan/90-answers.yaml"
_NETWORKD = ("/usr/lib/systemd/systemd-networkd", "/lib/systemd/systemd-networkd")
_NETPLAN = ("/usr/lib/systemd/system-generators/netplan", "/lib/systemd/system-generators/netplan")


def set_network(root: Path, interfaces: Sequence[Interface]) -> None:
    """Write the files of interfaces; raises InstallError in a system that has neither networkd nor netplan."""
    folder = inside(root, "/etc/netplan")
    has_files = folder.is_dir() and any(folder.glob("*.yaml"))
    if has_files and _has(root, _NETPLAN):
        _write_netplan(root, interfaces)
    elif _has(root, _NETWORKD):
        for one in interfaces:
            write_text(root, f"/etc/systemd/network/05-{one.name}.network", networkd_text(one))
    else:
        hint = "leave out the network in the answers, or add one of them to the recipe"
        raise InstallError("expected systemd-networkd or netplan in the system, found neither", hint=hint)


def _has(root: Path, paths: Sequence[str]) -> bool:
    return any(inside(root, path).is_file() for path in paths)


def networkd_text(interface: Interface) -> str:
    """Return the text of a file of systemd-networkd."""
    lines = ["[Match]", f"Name={interface.name}", "", "[Network]"]
    is_dynamic = interface.address == "dhcp"
    lines += ["DHCP=yes"] if is_dynamic else ["DHCP=no", f"Address={interface.address}"]
    lines += [f"Gateway={interface.gateway}"] if interface.gateway else []
    lines += [f"DNS={address}" for address in interface.dns]
    return "".join(f"{line}\n" for line in lines)


def _write_netplan(root: Path, interfaces: Sequence[Interface]) -> None:
    path, whole = _OF_RECIPE, _recipe_network(root)
    if whole is None:
        path, whole = _OF_ANSWERS, {"network": {"version": 2, "renderer": "networkd", "ethernets": {}}}
    whole["network"]["ethernets"] |= {one.name: netplan_entry(one) for one in interfaces}
    write_text(root, path, f"{json.dumps(whole, indent=2)}\n", mode=0o600)  # JSON is YAML


def _recipe_network(root: Path) -> dict[str, Any] | None:
    """Return what the recipe's file has; None where there is none, or somebody else's."""
    try:
        whole = json.loads(read_text(root, _OF_RECIPE))
        return whole if isinstance(whole["network"]["ethernets"], dict) else None
    except (ValueError, LookupError, TypeError):
        return None


def netplan_entry(interface: Interface) -> dict[str, Any]:
    """Return an interface as netplan describes it."""
    is_dynamic = interface.address == "dhcp"
    said: dict[str, Any] = {"dhcp4": is_dynamic, "dhcp6": is_dynamic}
    if not is_dynamic:
        said["addresses"] = [interface.address]
    if interface.gateway:
        version = ipaddress.ip_address(interface.gateway).version
        said["routes"] = [{"to": "0.0.0.0/0" if version == 4 else "::/0", "via": interface.gateway}]
    if interface.dns:
        said["nameservers"] = {"addresses": list(interface.dns)}
    return said
