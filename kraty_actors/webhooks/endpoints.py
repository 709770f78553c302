"""The endpoints of a game, with their secrets as the environment has them (R-52)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kraty_actors.definitions import DefinitionFaults, Fault, GameFile, Webhook


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


def endpoints_of(game: GameFile | None, environ: Mapping[str, str]) -> dict[str, Endpoint]:
    """Those of a game that are enabled, by key.

    Raises:
        DefinitionFaults: The environment lacks the secret of one of them; an empty variable is a missing one.
    """
    found: dict[str, Endpoint] = {}
    faults = []
    for number, webhook in enumerate(game.webhooks if game is not None else ()):
        if not webhook.enabled:
            continue
        secret = _secret(webhook, environ)
        if secret:
            events = None if webhook.events is None else frozenset(webhook.events)
            found[webhook.key] = Endpoint(webhook.key, webhook.url, secret.encode(), events)
        else:
            message = f"the environment has no variable {webhook.secret_env}"
            faults.append(Fault(f"webhooks[{number}].secretEnv", message))
    if faults:
        raise DefinitionFaults(faults)
    return found


def _secret(webhook: Webhook, environ: Mapping[str, str]) -> str:
    return webhook.secret or environ.get(webhook.secret_env or "", "")
