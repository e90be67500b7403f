"""Tells the addresses of the public internet from all others.

Python's ``ipaddress`` has IANA's registries of special-purpose addresses as of its own release; Python 3.11.7 took
192.0.0.0/24 for public. So this module has the registries too (IPv4 and IPv6, as of 2025). The registries mark some
addresses within a special range as globally reachable. They serve network protocols and hold no recordings, so the
whole range is refused.
"""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SPECIAL_IPV4 = tuple(map(ipaddress.IPv4Network, (
    "0.0.0.0/8",  # this network, RFC 791
    "10.0.0.0/8",  # private use, RFC 1918
    "100.64.0.0/10",  # shared, behind a provider's translation, RFC 6598
    "127.0.0.0/8",  # loopback, RFC 1122
    "169.254.0.0/16",  # link local, RFC 3927; clouds give their secrets there
    "172.16.0.0/12",  # private use, RFC 1918
    "192.0.0.0/24",  # protocol assignments, RFC 6890
    "192.0.2.0/24",  # documentation, RFC 5737
    "192.31.196.0/24",  # AS112, RFC 7535
    "192.52.193.0/24",  # AMT, RFC 7450
    "192.88.99.0/24",  # 6to4 relays, RFC 7526
    "192.168.0.0/16",  # private use, RFC 1918
    "192.175.48.0/24",  # AS112, RFC 7534
    "198.18.0.0/15",  # benchmarks, RFC 2544
    "198.51.100.0/24",  # documentation, RFC 5737
    "203.0.113.0/24",  # documentation, RFC 5737
    "224.0.0.0/4",  # multicast, RFC 5771
    "240.0.0.0/4",  # reserved, and the broadcast address, RFC 1112
)))  # fmt: skip
UNICAST_IPV6 = ipaddress.IPv6Network("2000::/3")  # IANA assigns public addresses only in this range
SPECIAL_IPV6 = tuple(map(ipaddress.IPv6Network, (
    "2001::/23",  # protocol assignments, among them Teredo, benchmarks and ORCHID, RFC 2928
    "2001:db8::/32",  # documentation, RFC 3849
    "2620:4f:8000::/48",  # AS112, RFC 7534
    "3fff::/20",  # documentation, RFC 9637
)))  # fmt: skip
_SIXTOFOUR = ipaddress.IPv6Network("2002::/16")  # RFC 3056
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet.

    An IPv6 address that contains an IPv4 address is unwrapped.
    """
    ip = _unwrapped(ipaddress.ip_address(address))
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not any(ip in network for network in SPECIAL_IPV4)
    return ip.is_global and ip in UNICAST_IPV6 and not any(ip in network for network in SPECIAL_IPV6)


def _unwrapped(ip: Address) -> Address:
    """The IPv4 address that a mapped, 6to4 or NAT64 address contains; any other address itself."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    number = int(ip)
    if ip in _SIXTOFOUR:
        return ipaddress.IPv4Address(number >> 80 & 0xFFFFFFFF)
    return ipaddress.IPv4Address(number & 0xFFFFFFFF) if ip in _NAT64 else ip
