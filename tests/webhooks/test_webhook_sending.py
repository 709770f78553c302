"""R-53: no receiver, however slow, broken or hostile, does more than fail one try in bounded time."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from receiver import (
    Behaviour,
    babbles,
    hangs_up,
    is_silent,
    never_ends,
    receiver,
    says,
    says_and_hangs_up,
    talks_nonsense,
)

from kraty_actors.webhooks.sending import Answer, Limits, Sender

pytestmark = pytest.mark.anyio

QUICK = Limits(connect_seconds=5, exchange_seconds=0.1, body_seconds=0.05, answer_bytes=4096)
PATIENT = Limits(exchange_seconds=30, body_seconds=30)


async def post_to(behaviour: Behaviour, limits: Limits = PATIENT) -> Answer:
    async with receiver(behaviour) as there, Sender.opened(allow_private=True, limits=limits) as sender:
        return await sender.post(there.url, b"{}", {})


async def test_it_is_a_post_of_json_to_that_path_and_host() -> None:
    async with receiver() as there, Sender.opened(allow_private=True) as sender:
        answer = await sender.post(there.url + "/a?b=c", b'{"x":1}', {"X-Signature": "t=1,v1=2"})
        assert answer == Answer(200)
        (heard,) = there.heard
        assert (heard.start, heard.body) == ("POST /hooks/a?b=c HTTP/1.1", b'{"x":1}')
        assert heard.headers["host"] == there.url.split("/")[2]
        assert heard.headers["content-type"] == "application/json"
        assert heard.headers["x-signature"] == "t=1,v1=2"


@pytest.mark.parametrize("status", ["200 OK", "202 Accepted", "204 No Content", "299 Whatever"])
async def test_any_2xx_is_an_arrival(status: str) -> None:
    answer = await post_to(says(status))
    assert (answer.has_arrived, answer.status) == (True, int(status[:3]))


@pytest.mark.parametrize(
    "status", ["300 Choose", "304 Not Modified", "400 Bad", "404 Gone", "410 Gone", "429 Slow", "500 Oh", "503 Busy"]
)
async def test_any_other_status_is_a_failure_that_is_named(status: str) -> None:
    answer = await post_to(says(status))
    assert (answer.has_arrived, answer.status) == (False, int(status[:3]))
    assert status[:3] in answer.error


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 There", "308 There"])
async def test_no_redirect_is_followed(status: str) -> None:
    async with receiver() as other, Sender.opened(allow_private=True) as sender:
        async with receiver(says(status, f"Location: {other.url}")) as there:
            answer = await sender.post(there.url, b"{}", {})
        assert answer == Answer(int(status[:3]), f"status {status[:3]}: redirects are not followed")
        assert other.heard == []


async def test_a_body_that_never_ends_is_an_arrival_without_waiting_for_it() -> None:
    assert await post_to(never_ends, QUICK) == Answer(200)


async def test_no_more_of_a_huge_body_is_read_than_the_limit() -> None:
    sent: list[int] = []
    assert await post_to(babbles(sent)) == Answer(200)
    assert sum(sent) < 64 * 1024 * 1024  # what the sockets' buffers took


async def test_a_huge_body_of_a_failure_is_not_read_either() -> None:
    answer = await post_to(babbles([], status="500 Oh"))
    assert (answer.status, answer.error) == (500, "status 500")


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (hangs_up, "not a proper answer"),
        (talks_nonsense, "not a proper answer"),
        (says_and_hangs_up("200 OK", body=b"12345", length=10), "not a proper answer"),
        (says("200 OK", "Content-Length: 3", body=b"12345"), "not a proper answer"),
        (says("200 OK", "Transfer-Encoding: chunked", body=b"no chunk\r\n", length=10), "not a proper answer"),
        (says("200 OK", "X-Long: " + "x" * 200_000), "not a proper answer"),
    ],
    ids=["closes before the status", "no HTTP", "shorter than its length", "two lengths", "bad chunks", "long header"],
)
async def test_a_broken_answer_is_a_failure_and_nothing_more(behaviour: Behaviour, error: str) -> None:
    answer = await post_to(behaviour)
    assert answer.status is None
    assert answer.error.startswith(error)


async def test_more_body_than_its_length_costs_the_next_try_at_most() -> None:
    """What comes behind an answer must not count as the answer to the next request."""
    long = says("200 OK", body=b"12345", length=2)
    async with receiver(long) as there, Sender.opened(allow_private=True) as sender:
        assert await sender.post(there.url, b"{}", {}) == Answer(200)
        there.answer = says("500 Oh")
        assert not (await sender.post(there.url, b"{}", {})).has_arrived
        there.answer = says("200 OK")
        assert (await sender.post(there.url, b"{}", {})).has_arrived


@pytest.mark.parametrize("behaviour", [is_silent, babbles([], interim=True)], ids=["silence", "endless 1xx"])
async def test_no_status_in_time_is_a_failure(behaviour: Behaviour) -> None:
    assert await post_to(behaviour, QUICK) == Answer(None, "no answer within 0.1 s")


async def test_nobody_listens() -> None:
    async with receiver() as there:
        pass
    async with Sender.opened(allow_private=True) as sender:
        assert await sender.post(there.url, b"{}", {}) == Answer(None, "nobody accepts the connection")


async def test_retry_after_is_handed_on() -> None:
    assert (await post_to(says("503 Busy", "Retry-After: 120"))).retry_after == "120"


async def test_a_connection_serves_again_and_keeps_no_cookies() -> None:
    baking = says("200 OK", "Set-Cookie: a=b", body=b"thanks")
    async with receiver(baking) as there, Sender.opened(allow_private=True) as sender:
        for _ in range(3):
            assert (await sender.post(there.url, b"{}", {})).has_arrived
        assert there.connections == 1
        assert "cookie" not in there.heard[-1].headers


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as proxy, receiver() as there, Sender.opened(allow_private=True) as sender:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert (await sender.post(there.url, b"{}", {})).has_arrived
        assert (len(proxy.heard), len(there.heard)) == (0, 1)


@asynccontextmanager
async def trusting(folder: Path, name: str) -> AsyncIterator[tuple[ssl.SSLContext, Sender]]:
    """A server's context with a certificate for `name`, and a sender that trusts it."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-days", "1", "-subj", "/CN=test", "-addext", f"subjectAltName=DNS:{name}"]
    await anyio.run_process([*request, *names, "-keyout", str(key), "-out", str(cert)])
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(cert, key)
    context = ssl.create_default_context(cafile=str(cert))
    async with Sender.opened(allow_private=True, tls=context) as sender:
        yield serving, sender


async def test_tls_verifies_the_hosts_name_though_an_address_is_connected_to(tmp_path: Path) -> None:
    async with trusting(tmp_path, "localhost") as (serving, sender), receiver(tls=serving) as there:
        assert await sender.post(there.url, b"{}", {}) == Answer(200)


async def test_tls_refuses_a_certificate_of_another_name(tmp_path: Path) -> None:
    async with trusting(tmp_path, "other.example") as (serving, sender), receiver(tls=serving) as there:
        answer = await sender.post(there.url, b"{}", {})
        assert "certificate verify failed" in answer.error
        assert there.heard == []


async def test_tls_refuses_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    async with trusting(tmp_path, "localhost") as (serving, _), receiver(tls=serving) as there:
        async with Sender.opened(allow_private=True) as sender:
            answer = await sender.post(there.url, b"{}", {})
        assert "certificate verify failed" in answer.error


async def test_a_handshake_that_nobody_answers_is_a_failure_in_time() -> None:
    limits = Limits(connect_seconds=0.05)
    async with receiver() as there, Sender.opened(allow_private=True, limits=limits) as sender:
        there.answer = is_silent
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        answer = await sender.post(f"https://localhost:{port}/", b"{}", {})
        assert answer == Answer(None, "no connection within 0.05 s")
        await listener.aclose()
