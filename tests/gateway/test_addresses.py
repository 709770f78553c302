"""Who calls, and how many connections each place has."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from kraty_actors.gateway.addresses import Addresses, caller, read_address

PROXIES = ip_network("10.0.0.0/8")


@pytest.mark.parametrize(
    ("peer", "headers", "proxies", "expected"),
    [
        ("203.0.113.7", {}, None, "203.0.113.7"),
        ("203.0.113.7", {"X-Forwarded-For": "198.51.100.1"}, PROXIES, "203.0.113.7"),  # anybody can say that
        ("10.0.0.1", {"X-Forwarded-For": "198.51.100.1"}, PROXIES, "198.51.100.1"),
        ("10.0.0.1", {"X-Forwarded-For": "8.8.8.8, 198.51.100.1"}, PROXIES, "198.51.100.1"),
        ("10.0.0.1", {"X-Forwarded-For": "198.51.100.1, 10.2.2.2"}, PROXIES, "198.51.100.1"),
        ("10.0.0.1", {"X-Forwarded-For": "198.51.100.1, unknown"}, PROXIES, None),
        ("10.0.0.1", {"X-Forwarded-For": "10.3.3.3"}, PROXIES, None),
        ("10.0.0.1", {}, PROXIES, None),
        ("127.0.0.1", {}, None, "127.0.0.1"),
        ("127.0.0.1", {"X-Forwarded-For": "198.51.100.1"}, None, None),  # some proxy that nobody told us of
        ("127.0.0.1", {"Forwarded": "for=198.51.100.1"}, None, None),
        ("::ffff:203.0.113.7", {}, None, "203.0.113.7"),
    ],
)
def test_a_caller_is_the_peer_or_whom_a_trusted_proxy_names(
    peer: str, headers: dict[str, str], proxies: object, expected: str | None
) -> None:
    found = caller(read_address(peer), headers, proxies)  # type: ignore[arg-type]
    assert found == (None if expected is None else read_address(expected))


def test_connections_are_counted_by_place_and_leave_nothing_behind() -> None:
    addresses = Addresses()
    one, other = read_address("203.0.113.7"), read_address("203.0.113.8")
    assert [addresses.enter(one, 2) for _ in range(3)] == [True, True, False]
    assert addresses.enter(other, 2)
    addresses.leave(one)
    assert addresses.enter(one, 2)
    for address in (one, one, other):
        addresses.leave(address)
    assert not addresses._counts


def test_an_ipv6_place_is_a_network_of_64_bits() -> None:
    addresses = Addresses()
    assert addresses.enter(read_address("2001:db8:1:2::1"), 1)
    assert not addresses.enter(read_address("2001:db8:1:2:ffff::9%eth0"), 1)
    assert addresses.enter(read_address("2001:db8:1:3::1"), 1)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "nonsense"])
def test_loopback_is_never_counted(address: str) -> None:
    addresses = Addresses()
    assert all(addresses.enter(read_address(address), 1) for _ in range(5))


def test_without_a_limit_all_are_let_in_and_counted_for_a_limit_to_come() -> None:
    addresses = Addresses()
    one = read_address("203.0.113.7")
    assert all(addresses.enter(one, None) for _ in range(5))
    assert not addresses.enter(one, 5)
