"""R-52: the body and its signature, verified by others than those who made them."""

from __future__ import annotations

import json
import subprocess

import pytest

from kraty_actors.webhooks.signing import body_of, signature


def openssl_hmac(secret: str, message: bytes) -> str:
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{secret.encode().hex()}"]
    done = subprocess.run(command, input=message, capture_output=True, check=True)
    return done.stdout.decode().split()[-1]


@pytest.mark.parametrize("secret", ["s", "x" * 200, "ключ", "with space"])
@pytest.mark.parametrize("body", [b"", b'{"a":1}', '{"name":"Zoë"}'.encode(), bytes(range(256))])
def test_openssl_computes_the_same(secret: str, body: bytes) -> None:
    header = signature(secret.encode(), 1_700_000_000_999, body)
    assert header == "t=1700000000,v1=" + openssl_hmac(secret, b"1700000000." + body)


def test_a_known_signature() -> None:
    """Computed elsewhere, and written down."""
    digest = "7d44587dddbaf4c7f70fef20f48cd594834ffea1641e3ac227b84408298738af"
    assert signature(b"whsec", 1_700_000_000_000, b"{}") == f"t=1700000000,v1={digest}"


def test_every_byte_counts_and_so_do_time_and_secret() -> None:
    made = signature(b"secret", 1_000, b"body")
    assert made != signature(b"secret", 1_000, b"bodY")
    assert made.partition(",")[2] != signature(b"secret", 2_000, b"body").partition(",")[2]
    assert made != signature(b"secreT", 1_000, b"body")


def test_the_body_has_these_fields_and_no_others() -> None:
    body = body_of("d1", "grant.created", "arena", 1_700_000_000_001, 3, {"playerId": "Zoë", "n": [1, 2.5, None]})
    assert json.loads(body) == {
        "id": "d1",
        "eventName": "grant.created",
        "gameId": "arena",
        "occurredAt": "2023-11-14T22:13:20.001Z",
        "deliveryAttempt": 3,
        "data": {"playerId": "Zoë", "n": [1, 2.5, None]},
    }
    assert "Zoë".encode() in body


def test_what_is_no_json_is_not_sent() -> None:
    with pytest.raises(ValueError, match="JSON"):
        body_of("d1", "x", "arena", 0, 1, {"score": float("nan")})
