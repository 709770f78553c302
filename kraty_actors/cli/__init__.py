"""The command line: one module a command."""

from __future__ import annotations

import click

from kraty_actors.cli.books import audit, windows
from kraty_actors.cli.call import call
from kraty_actors.cli.check import check, schema
from kraty_actors.cli.correct import correct
from kraty_actors.cli.demo import demo
from kraty_actors.cli.explain import explain
from kraty_actors.cli.preview import preview
from kraty_actors.cli.replay import replay
from kraty_actors.cli.serve import serve
from kraty_actors.cli.simulate import simulate_command
from kraty_actors.cli.token import token


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kraty-actors")
def main() -> None:
    """Live game events: serve them, check them, watch them played."""


for command in (
    demo,
    serve,
    call,
    token,
    check,
    schema,
    preview,
    simulate_command,
    audit,
    windows,
    correct,
    replay,
    explain,
):
    main.add_command(command)
