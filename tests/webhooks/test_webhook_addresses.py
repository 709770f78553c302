"""R-53: what is not of the public Internet is refused after the name was resolved, and only what was judged is
connected to."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import anyio
import httpcore
import pytest
from receiver import receiver

from kraty_actors.webhooks.addresses import is_public
from kraty_actors.webhooks.network import JudgedNetwork
from kraty_actors.webhooks.sending import Limits, Sender

CLOSED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.9",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1",
    "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::7f00:1", "::8.8.8.8", "fe80::1",
    "fe80::1%eth0", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "4000::1",
    "2600::1%eth0", "", "localhost", "127.1", "0x7f.0.0.1", "1.2.3.4.5",
]  # fmt: skip

OPEN = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
    "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
    "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1", "2001:200::1", "64:ff9b::8.8.8.8",
]  # fmt: skip


@pytest.mark.parametrize("address", CLOSED)
def test_closed(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OPEN)
def test_open(address: str) -> None:
    assert is_public(address)


def resolves_to(*addresses: str, asked: list[str] | None = None):
    async def resolve(host: str, port: int) -> Sequence[str]:
        if asked is not None:
            asked.append(host)
        return addresses

    return resolve


def sender_by(resolve, *, allow_private: bool = False, limits: Limits | None = None) -> Sender:
    return Sender(JudgedNetwork(allow_private=allow_private, resolve=resolve), limits or Limits())


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0", "[::1]"])
async def test_a_real_server_on_this_machine_is_not_reached_by_any_spelling(host: str) -> None:
    async with receiver() as there, Sender.opened() as sender:
        port = there.url.split(":")[2].partition("/")[0]
        answer = await sender.post(f"http://{host}:{port}/", b"{}", {})
        assert answer.error.startswith(("the address is not public: ", "the host's name cannot be resolved"))
        assert (there.connections, there.heard) == (0, [])


@pytest.mark.anyio
async def test_a_name_that_means_an_address_inside_is_refused_and_says_which() -> None:
    sender = sender_by(resolves_to("10.1.2.3", "fd00::7"))
    answer = await sender.post("https://rebound.example/", b"{}", {})
    assert answer.error == "the address is not public: 10.1.2.3, fd00::7"


@pytest.mark.anyio
async def test_the_name_is_resolved_once_and_that_very_address_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means something else a moment later gains nothing: nobody asks again."""
    dialled: list[str] = []

    async def connect_tcp(_self, host: str, port: int, **_: object) -> httpcore.AsyncNetworkStream:
        dialled.append(host)
        raise httpcore.ConnectError("stop here")

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect_tcp)
    asked: list[str] = []
    sender = sender_by(resolves_to("10.0.0.1", "93.184.216.34", "2606:4700::1111", asked=asked))
    await sender.post("http://hooks.example/", b"{}", {})
    assert (asked, dialled) == (["hooks.example"], ["93.184.216.34", "2606:4700::1111"])


@pytest.mark.anyio
async def test_an_address_that_does_not_answer_is_passed_over() -> None:
    async with receiver() as there, receiver(host="127.0.0.2") as gone:
        port = there.url.split(":")[2].partition("/")[0]
        await anyio.lowlevel.checkpoint()
        sender = sender_by(resolves_to("127.0.0.3", "127.0.0.1"), allow_private=True)
        assert (await sender.post(f"http://hooks.example:{port}/", b"{}", {})).has_arrived
        assert (len(there.heard), len(gone.heard)) == (1, 0)
        await sender.aclose()


@pytest.mark.anyio
@pytest.mark.parametrize("port", [22, 25, 53, 110, 143, 445, 1023])
async def test_well_known_ports_of_other_services_are_refused(port: int) -> None:
    answer = await sender_by(resolves_to("93.184.216.34")).post(f"http://hooks.example:{port}/", b"{}", {})
    assert answer.error == f"port {port} is not allowed"


@pytest.mark.anyio
@pytest.mark.parametrize("failure", [socket.gaierror(-2, "unknown"), UnicodeError("label too long")])
async def test_a_name_that_nobody_knows_is_a_failure(failure: Exception) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise failure

    answer = await sender_by(resolve).post("https://nowhere.example/", b"{}", {})
    assert answer.error == "the host's name cannot be resolved"


@pytest.mark.anyio
async def test_a_resolver_that_hangs_is_a_failure_in_time() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        await anyio.sleep_forever()
        return ()

    answer = await sender_by(resolve, limits=Limits(connect_seconds=0.05)).post("https://slow.example/", b"{}", {})
    assert answer.error == "no connection within 0.05 s"
