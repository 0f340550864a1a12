"""The network of a recipe as the files of each backend."""

from __future__ import annotations

import yaml

from oic.config.model import Interface, Network, Route
from oic.image.tree.network import NETPLAN_FILE, files_of

FIXED = Interface(
    name="en0",
    dhcp4=False,
    dhcp6=False,
    addresses=("192.0.2.2/24", "2001:db8::2/64"),
    routes=(Route(to="default", via="192.0.2.1"), Route(to="198.51.100.0/24", via="192.0.2.9")),
    nameservers=("192.0.2.53",),
)
DHCP = Interface(name="en1", dhcp4=True, dhcp6=False, addresses=(), routes=(), nameservers=())


def test_networkd_has_a_file_for_each_interface() -> None:
    files = files_of(Network(backend="systemd-networkd", interfaces=(FIXED, DHCP)))
    assert files == {
        "/etc/systemd/network/10-en0.network": "[Match]\nName=en0\n\n[Network]\nDHCP=no\nAddress=192.0.2.2/24\n"
        "Address=2001:db8::2/64\nDNS=192.0.2.53\n\n[Route]\nGateway=192.0.2.1\n\n"
        "[Route]\nGateway=192.0.2.9\nDestination=198.51.100.0/24\n",
        "/etc/systemd/network/10-en1.network": "[Match]\nName=en1\n\n[Network]\nDHCP=ipv4\n",
    }


def test_netplan_has_one_file_of_all_interfaces() -> None:
    (text,) = files_of(Network(backend="netplan", interfaces=(FIXED, DHCP))).values()
    assert yaml.safe_load(text)["network"] == {
        "version": 2,
        "renderer": "networkd",
        "ethernets": {
            "en0": {
                "dhcp4": False,
                "dhcp6": False,
                "addresses": ["192.0.2.2/24", "2001:db8::2/64"],
                "routes": [{"to": "default", "via": "192.0.2.1"}, {"to": "198.51.100.0/24", "via": "192.0.2.9"}],
                "nameservers": {"addresses": ["192.0.2.53"]},
            },
            "en1": {"dhcp4": True, "dhcp6": False},
        },
    }


def test_without_interfaces_there_is_no_file() -> None:
    assert files_of(Network(backend="netplan", interfaces=())) == {}
    assert list(files_of(Network(backend="netplan", interfaces=(DHCP,)))) == [NETPLAN_FILE]
