"""Which addresses a webhook may go to: those of the public Internet, judged after the name was resolved."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

CLOSED_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this host
            "10.0.0.0/8",
            "100.64.0.0/10",  # behind a carrier's NAT
            "127.0.0.0/8",
            "169.254.0.0/16",  # link-local, with the clouds' metadata services
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
OPEN_V6 = IPv6Network("2000::/3")
"""All that was ever given out. Outside of it are loopback, link-local, unique local, multicast and IPv4-mapped ones."""

CLOSED_V6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # Teredo, which holds an IPv4 address, and other protocols
            "2001:db8::/32",
            "2002::/16",  # 6to4, which holds an IPv4 address
            "3fff::/20",
        ),
    )
)
NAT64 = IPv6Network("64:ff9b::/96")
"""How a machine that speaks IPv6 alone reaches an IPv4 address, which then counts."""


def is_public(text: str) -> bool:
    """Whether an address, as a resolver writes it, belongs to the public Internet."""
    try:
        return _is_public(ip_address(text))
    except ValueError:
        return False


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in CLOSED_V4)
    if address in NAT64:
        return _is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address.scope_id is None and address in OPEN_V6 and not any(address in network for network in CLOSED_V6)


def is_common_port(port: int) -> bool:
    """Whether a port may be a web server's: of the well-known ones, the others speak something else."""
    return port in (80, 443) or port >= 1024
