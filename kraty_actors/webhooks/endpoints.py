"""The endpoints of a game, with their secrets as the environment has them (R-52)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kraty_actors.definitions import Fault, GameFile, Webhook


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Somebody who is told.

    Attributes:
        secret: What signs; it never shows where the endpoint is printed. Neither does the address, which may hold a
            secret too.
        events: What it is told; None is everything.
    """

    key: str
    url: str = field(repr=False)
    secret: bytes = field(repr=False)
    events: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Those of a game that are enabled. Of one whose secret is missing nothing is sent, but everything is kept."""

    ready: Mapping[str, Endpoint]
    wanted: Mapping[str, frozenset[str] | None]
    """What each of them is told, those without a secret included."""
    faults: tuple[Fault, ...] = ()
    """The secrets that are missing."""


def endpoints_of(game: GameFile | None, environ: Mapping[str, str]) -> Endpoints:
    """The endpoints of a game; an empty variable is a missing one."""
    ready: dict[str, Endpoint] = {}
    wanted: dict[str, frozenset[str] | None] = {}
    faults = []
    for number, webhook in enumerate(game.webhooks if game is not None else ()):
        if not webhook.enabled:
            continue
        events = wanted[webhook.key] = None if webhook.events is None else frozenset(webhook.events)
        secret = _secret(webhook, environ)
        if secret:
            ready[webhook.key] = Endpoint(webhook.key, webhook.url, secret.encode(), events)
        else:
            message = f"the environment has no variable {webhook.secret_env}"
            faults.append(Fault(f"webhooks[{number}].secretEnv", message))
    return Endpoints(ready, wanted, tuple(faults))


def _secret(webhook: Webhook, environ: Mapping[str, str]) -> str:
    return webhook.secret or environ.get(webhook.secret_env or "", "")
