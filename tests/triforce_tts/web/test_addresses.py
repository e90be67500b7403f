"""Rows of IANA's registries of special-purpose addresses.

The first and last address, their neighbours, and IPv6 forms of them.
"""

import ipaddress

import pytest

from triforce_tts.web.addresses import is_public

# https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry, multicast and site-local
# besides.
IPV4 = (
    "0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/32", "192.0.0.171/32", "192.0.2.0/24",
    "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32",
)  # fmt: skip
IPV6 = (
    "::1/128", "::/128", "::ffff:0:0/104", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001::/32", "2001:1::1/128",
    "2001:1::2/128", "2001:1::3/128", "2001:2::/48", "2001:3::/32", "2001:4:112::/48", "2001:10::/28", "2001:20::/28",
    "2001:30::/28", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    "::7f00:0/104", "::ffff:0:7f00:0/104", "4000::/3", "8000::/1",
)  # fmt: skip
PUBLIC = ("1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255",
          "192.0.1.0", "192.0.3.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "11.0.0.0", "9.255.255.255")  # fmt: skip


def wrapped(address: str) -> list[str]:
    """An IPv4 address as IPv6: mapped in both spellings, with NAT64 and with 6to4."""
    number = int(ipaddress.IPv4Address(address))
    forms = [f"::ffff:{address}", str(ipaddress.IPv6Address(0xFFFF << 32 | number))]
    return [*forms, f"64:ff9b::{address}", str(ipaddress.IPv6Address(0x2002 << 112 | number << 80 | 1))]


@pytest.mark.parametrize("row", IPV4)
def test_rows_of_the_ipv4_registry(row: str) -> None:
    network = ipaddress.IPv4Network(row)
    for address in {network[0], network[-1], network[len_of(network) // 2]}:
        assert not is_public(str(address))
        assert not any(map(is_public, wrapped(str(address))))


@pytest.mark.parametrize("row", IPV6)
def test_rows_of_the_ipv6_registry(row: str) -> None:
    network = ipaddress.IPv6Network(row)
    for address in {network[0], network[-1], network[len_of(network) // 2]}:
        assert not is_public(str(address))
        assert not is_public(f"{address}%eth0")


def len_of(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> int:
    return network.num_addresses


@pytest.mark.parametrize("address", PUBLIC)
def test_neighbours_of_special_ranges_are_public_in_every_form(address: str) -> None:
    assert is_public(address)
    assert all(map(is_public, wrapped(address)))


def test_public_ipv6_is_public() -> None:
    for address in ("2606:2800:220:1:248:1893:25c8:1946", "2001:200::1", "2a00:1450::1", "2620:4f:7fff::1", "3ffe::1"):
        assert is_public(address)
