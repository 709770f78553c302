"""`call`: one request to a running server, for operators and the curious."""

from __future__ import annotations

import json
import sys
from typing import Any, get_args, get_origin

import anyio
import click

from kraty_actors.cli.faults import give_up
from kraty_actors.client import ConnectionLost, Refused, connect
from kraty_protocol.limits import Role
from kraty_protocol.messages import OPERATIONS

REFUSED = 1


@click.command()
@click.argument("op")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@click.option("--url", default="ws://127.0.0.1:8765/v1/socket", show_default=True)
@click.option("--token", help="Who asks. A server that runs with --insecure-dev needs none.")
@click.option("--player", metavar="ID", help="Ask as this player, not as an operator (--insecure-dev).")
@click.option("--backend", type=click.Choice(["trio", "asyncio"]), default="trio", show_default=True)
def call(op: str, fields: tuple[str, ...], url: str, token: str | None, player: str | None, backend: str) -> None:
    """Send one request and print the answer as JSON.

    A VALUE that reads as JSON is taken as such, unless the field is a text, and anything else as text. Exit 1 if the
    server says no, 2 if it cannot be asked.
    """
    asked = dict(_field(op, field) for field in fields)
    role: Role = "operator" if player is None else "player"
    try:
        answer = anyio.run(_call, url, token, role, player, op, asked, backend=backend)
    except Refused as refused:
        click.echo(json.dumps(refused.to_wire(), indent=2))
        sys.exit(REFUSED)
    except (OSError, ConnectionLost, ValueError) as error:
        give_up(f"{url}: {error}")
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))


async def _call(
    url: str, token: str | None, role: Role, player: str | None, op: str, fields: dict[str, Any]
) -> dict[str, Any]:
    async with connect(url, token=token, role=role, player_id=player, reconnect=False) as client:
        return await client.call(op, **fields)


def _field(op: str, text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        give_up(f"{text}: write it as FIELD=VALUE")
    try:
        read = json.loads(value)
    except ValueError:
        return name, value
    is_plain = isinstance(read, int | float) and _is_text(op, name)
    return name, value if is_plain else read


def _is_text(op: str, name: str) -> bool:
    """Whether a field of an operation holds text, so that a number there is one that is spelled like it."""
    operation = OPERATIONS.get(op)
    fields = operation.model.model_fields.values() if operation is not None else ()
    return any(_holds_text(field.annotation) for field in fields if field.alias == name)


def _holds_text(annotation: Any) -> bool:
    is_container = get_origin(annotation) in (list, tuple, dict)
    return annotation is str or (not is_container and any(map(_holds_text, get_args(annotation))))
