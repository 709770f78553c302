"""Where connections come from, and how many of them from one place.

Loopback and proxies are never counted. An IPv6 address counts as its /64, for that is what one customer is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

FORWARDED_FOR = "X-Forwarded-For"
IPV6_PREFIX_BITS = 64


def read_address(text: str) -> Address | None:
    """An address as a socket or a header gives it, or None; an IPv4 one within IPv6 is that IPv4 one."""
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def caller(peer: Address | None, headers: Mapping[str, str], proxies: Network | None) -> Address | None:
    """Who sent a request: the peer, or whom a trusted proxy names last; None if nobody can tell.

    A peer on loopback that forwards for others, without being declared as a proxy, is not itself the caller.
    """
    forwarded = headers.get(FORWARDED_FOR)
    if peer is not None and proxies is not None and peer in proxies:
        named = (read_address(one) for one in reversed((forwarded or "").split(",")))
        return next((one for one in named if one is None or one not in proxies), None)
    if peer is not None and peer.is_loopback and (forwarded is not None or "Forwarded" in headers):
        return None
    return peer


class Addresses:
    """How many connections each place has."""

    def __init__(self) -> None:
        self._counts: dict[Address | int, int] = {}

    def enter(self, address: Address | None, limit: int | None) -> bool:
        """Count a connection, unless its place has as many as it may; whoever entered has to `leave`."""
        place = _place(address)
        if place is None:
            return True
        count = self._counts.get(place, 0)
        if limit is not None and count >= limit:
            return False
        self._counts[place] = count + 1
        return True

    def leave(self, address: Address | None) -> None:
        """A connection that has entered is gone."""
        place = _place(address)
        if place is not None:
            self._counts[place] -= 1
            if not self._counts[place]:
                del self._counts[place]


def _place(address: Address | None) -> Address | int | None:
    if address is None or address.is_loopback:
        return None
    return int(address) >> IPV6_PREFIX_BITS if isinstance(address, IPv6Address) else address
