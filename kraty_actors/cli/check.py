"""`check` and `schema`: what a designer wants to know before anything is live."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from kraty_actors.cli.faults import WRONG_INPUT, import_modules, read_text
from kraty_actors.definitions import DefinitionFaults, Fault, json_schema, load_game_text


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--with", "modules", multiple=True, metavar="MODULE", help="Import what the game registers.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def check(file: Path, modules: tuple[str, ...], as_json: bool) -> None:
    """Say everything that is wrong with a game file, each with its path. Exit 2 for faults, 0 for warnings."""
    import_modules(modules)
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    try:
        warnings = load_game_text(read_text(file)).warnings
    except DefinitionFaults as error:
        faults = tuple(error.faults)
    if as_json:
        click.echo(json.dumps({"faults": _plain(faults), "warnings": _plain(warnings)}, indent=2))
    else:
        for fault in faults:
            click.echo(f"{fault.path}: {fault.message}")
        for warning in warnings:
            click.echo(f"warning: {warning.path}: {warning.message}")
    sys.exit(WRONG_INPUT if faults else 0)


@click.command()
@click.option("--with", "modules", multiple=True, metavar="MODULE", help="Import what the game registers.")
def schema(*, modules: tuple[str, ...]) -> None:
    """Print the JSON Schema of a game file, for editors that complete and check as one types."""
    import_modules(modules)
    click.echo(json.dumps(json_schema(), indent=2))


def _plain(faults: tuple[Fault, ...]) -> list[dict[str, str]]:
    return [{"path": fault.path, "message": fault.message} for fault in faults]
