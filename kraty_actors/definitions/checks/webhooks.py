"""Checks of an endpoint beyond its shape (R-52)."""

from __future__ import annotations

from urllib.parse import urlsplit

from kraty_actors.definitions.findings import Place
from kraty_actors.definitions.game import Webhook


def check_webhook(webhook: Webhook, at: Place) -> None:
    """It has one secret, and an address to which something can be sent."""
    fault = _address_fault(webhook.url)
    if fault is not None:
        (at / "url").fault(fault)
    if webhook.secret is None and webhook.secret_env is None:
        (at / "secret").fault("required, or secretEnv instead", [at / "secretEnv"])
    if webhook.secret is not None and webhook.secret_env is not None:
        (at / "secretEnv").fault("must not stand together with secret")


def _address_fault(url: str) -> str | None:
    if not (url.isascii() and url.isprintable()):
        return "must be written in ASCII: a host's name in Punycode (xn--...), other characters as %XX"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port == 0:
        return "must be an http or https address with a host, and with a port from 1 to 65535 if it names one"
    if parts.username is not None or parts.password is not None:
        return "must not hold a name or a password"
    return None
