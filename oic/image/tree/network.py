"""The network of an image as files: systemd.network(5), or netplan's YAML, which its generator turns into these.

Pure. A file of an interface sorts before the distribution's own for every interface, so it wins (systemd.network(5)).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oic.config.model import Interface, Network

NETWORKD, NETPLAN = "systemd-networkd", "netplan"
NETPLAN_FILE = "/etc/netplan/50-image.yaml"
NETPLAN_GENERATOR = "system-generators/netplan"
"""Below /usr/lib/systemd or /lib/systemd: without it nothing reads the file."""


def files_of(network: Network) -> dict[str, str]:
    """Return the text of each file by its path in the image."""
    if not network.interfaces:
        return {}
    if network.backend == NETPLAN:
        return {NETPLAN_FILE: _netplan(network)}
    return {f"/etc/systemd/network/10-{one.name}.network": _networkd(one) for one in network.interfaces}


def _networkd(interface: Interface) -> str:
    dhcp = {(True, True): "yes", (True, False): "ipv4", (False, True): "ipv6", (False, False): "no"}
    lines = ["[Match]", f"Name={interface.name}", "", "[Network]", f"DHCP={dhcp[interface.dhcp4, interface.dhcp6]}"]
    lines += [f"Address={address}" for address in interface.addresses]
    lines += [f"DNS={address}" for address in interface.nameservers]
    for route in interface.routes:
        lines += ["", "[Route]", f"Gateway={route.via}"]
        lines += [f"Destination={route.to}"] if route.to != "default" else []
    return "".join(f"{line}\n" for line in lines)


def _netplan(network: Network) -> str:
    ethernets = {interface.name: _ethernet(interface) for interface in network.interfaces}
    whole = {"network": {"version": 2, "renderer": "networkd", "ethernets": ethernets}}
    return f"{json.dumps(whole, indent=2)}\n"  # JSON is YAML


def _ethernet(interface: Interface) -> dict[str, Any]:
    said: dict[str, Any] = {"dhcp4": interface.dhcp4, "dhcp6": interface.dhcp6}
    if interface.addresses:
        said["addresses"] = list(interface.addresses)
    if interface.routes:
        said["routes"] = [{"to": route.to, "via": route.via} for route in interface.routes]
    if interface.nameservers:
        said["nameservers"] = {"addresses": list(interface.nameservers)}
    return said
