"""The plain HTTP side of a port: is the loop alive, can it serve, and what has it counted?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from kraty_actors.gateway.addresses import Address
from kraty_actors.gateway.auth import BadToken, bearer
from kraty_actors.gateway.exposition import CONTENT_TYPE, exposition

if TYPE_CHECKING:
    from kraty_actors.gateway.gateway import Gateway

SOCKET_PATH = "/v1/socket"
PLAIN_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Page:
    """What a GET is answered with."""

    status: HTTPStatus
    body: str
    content_type: str = PLAIN_TEXT


NOTHING_HERE = Page(HTTPStatus.NOT_FOUND, f"nothing here: the socket is at {SOCKET_PATH}\n")
NOT_FOR_YOU = Page(HTTPStatus.FORBIDDEN, "only for this machine, or with an operator's token\n")
TOO_MANY = Page(HTTPStatus.TOO_MANY_REQUESTS, "too many connections from this address\n")


def plain_get(gateway: Gateway, path: str, headers: Mapping[str, str], address: Address | None) -> Page:
    """Answer a GET that came from there."""
    match path:
        case "/healthz":
            return Page(HTTPStatus.OK, "ok\n")
        case "/readyz":
            reason = gateway.why_not_ready()
            return Page(HTTPStatus.OK, "ready\n") if reason is None else _unavailable(reason)
        case "/metrics":
            if not _is_trusted(gateway, headers, address):
                return NOT_FOR_YOU
            return Page(HTTPStatus.OK, exposition(gateway), CONTENT_TYPE)
    return NOTHING_HERE


def _unavailable(reason: str) -> Page:
    return Page(HTTPStatus.SERVICE_UNAVAILABLE, f"{reason}\n")


def _is_trusted(gateway: Gateway, headers: Mapping[str, str], address: Address | None) -> bool:
    if address is not None and address.is_loopback:
        return True
    token = bearer(headers)
    try:
        return token is not None and gateway.verify(token).role == "operator"
    except BadToken:
        return False
