"""The command line: one module a command, imported when it is called, so that small ones answer at once."""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = {
    "demo": "demo:demo",
    "serve": "serve:serve",
    "call": "call:call",
    "top": "top:top",
    "token": "token:token",
    "check": "check:check",
    "schema": "check:schema",
    "preview": "preview:preview",
    "simulate": "simulate:simulate_command",
    "bench": "bench:bench",
    "db": "upgrade:db",
    "audit": "books:audit",
    "windows": "books:windows",
    "correct": "correct:correct",
    "replay": "replay:replay",
    "explain": "explain:explain",
}
"""Where each command is defined: its module here, and its name there; in the order of the help."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kraty-actors")
def main() -> None:
    """Live game events: serve them, check them, watch them played."""
