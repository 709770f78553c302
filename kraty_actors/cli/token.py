"""`token`: what a game's backend would sign, for trying things out."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from kraty_actors.cli.faults import give_up, secrets_of
from kraty_actors.gateway.auth import is_player_id, sign
from kraty_protocol.limits import Role

HOUR_SECONDS = 3600


@click.command()
@click.option("--role", type=click.Choice(get_args(Role)), required=True)
@click.option("--player", metavar="ID", help="The player whom the token is for (role player).")
@click.option("--ttl", type=click.IntRange(min=1), default=HOUR_SECONDS, show_default=True, metavar="SECONDS")
@click.option("--secret-file", type=click.Path(path_type=Path), required=True, help="Secrets, one a line.")
def token(role: Role, player: str | None, ttl: int, secret_file: Path) -> None:
    """Print a token (JWT, HS256) that `hello` takes."""
    if (role == "player") != (player is not None):
        give_up("--player ID goes with --role player, and only with it")
    if player is not None and not is_player_id(player):
        give_up("--player: an id has 1..64 characters, none of them a control character")
    click.echo(sign(secrets_of(secret_file)[0], role, player, ttl))
