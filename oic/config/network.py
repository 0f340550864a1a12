"""The ``network`` of a recipe: whether it can be, and the values it becomes.

An interface has its addresses by DHCP or as they are written; each is an address of IPv4 or IPv6 with its prefix.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from oic.config.model import Interface, Network, Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from oic.config.source import Node

    Problems = Iterator[tuple[Node, str]]


def network_of(network: Node) -> Network:
    """Return the values of a network that has no problems."""
    interfaces = tuple(map(_interface, network.get("interfaces").items))
    return Network(backend=network.get("backend").text or "systemd-networkd", interfaces=interfaces)


def _interface(node: Node) -> Interface:
    return Interface(
        name=node.get("name").text,
        dhcp4=node.get("dhcp4").true,
        dhcp6=node.get("dhcp6").true,
        addresses=node.get("addresses").texts,
        routes=tuple(Route(to=one.get("to").text, via=one.get("via").text) for one in node.get("routes").items),
        nameservers=node.get("nameservers").texts,
    )


def network_problems(network: Node) -> Problems:
    """Say everything that is wrong with a network beyond its schema."""
    for interface in network.get("interfaces").items:
        yield from _interface_problems(interface)


def _interface_problems(interface: Node) -> Problems:
    addresses, routes = interface.get("addresses"), interface.get("routes")
    for key in ("dhcp4", "dhcp6"):
        if addresses.items and interface.get(key).true:
            yield addresses, f"expected either addresses or {key}: true, found both"
    for node in addresses.items:
        yield from _problem(node, ipaddress.ip_interface, "an address with a prefix length such as 192.0.2.10/24")
    for node in interface.get("nameservers").items:
        yield from _problem(node, ipaddress.ip_address, "an IP address such as 192.0.2.1")
    for route in routes.items:
        to, via = route.get("to"), route.get("via")
        if to.text != "default":
            yield from _problem(to, ipaddress.ip_network, "'default' or a network such as 192.0.2.0/24")
        yield from _problem(via, ipaddress.ip_address, "an IP address such as 192.0.2.1")
        versions = {_version(to), _version(via)} - {None}
        if len(versions) > 1:
            yield via, f"expected an address of the version of {to.text}, found '{via.text}'"


def _problem(node: Node, parse: Callable[[str], object], wanted: str) -> Problems:
    """Say what is wrong with an address that is well formed enough for the schema."""
    if not node.text or not set(node.text) <= set("0123456789abcdefABCDEF:./"):
        return  # the schema has said it
    try:
        parse(node.text)
    except ValueError:
        yield node, f"expected {wanted}, found '{node.text}'"


def _version(node: Node) -> int | None:
    try:
        return ipaddress.ip_network(node.text, strict=False).version
    except ValueError:
        return None
