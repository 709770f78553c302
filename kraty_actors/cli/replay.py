"""`replay`: what the journals of a window come to, if that is what is stored, and what it would be by other rules."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import anyio
import click

from kraty_actors.actors.derivation import Derivation, Derived
from kraty_actors.actors.journal_key import known_sealer
from kraty_actors.actors.otherwise import Comparison, Otherwise, Payments
from kraty_actors.actors.proof import Prover
from kraty_actors.cli.database import backend_option, db_option, reading, told_in_one_line
from kraty_actors.cli.faults import give_up, import_modules, key_of, key_option, load_game
from kraty_actors.cli.replayed import Board, Names, Replayed, board_of, lines, plain
from kraty_actors.definitions import GameFile
from kraty_actors.domain.rules import Rules
from kraty_persistence import Store

DIFFERENT = 1
"""The exit code where something is not what the journals give."""


@click.command()
@click.argument("window")
@db_option
@click.option("--verify", is_flag=True, help="Compare with what is stored; exit 1 if anything differs.")
@click.option(
    "--against", type=click.Path(path_type=Path), metavar="GAMEFILE", help="What the event in this file had paid."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@key_option
@click.option("--with", "modules", multiple=True, metavar="MODULE", help="Import what the game registers.")
@backend_option
def replay(
    window: str, db: str, verify: bool, against: Path | None, as_json: bool, key_file: Path | None,
    modules: tuple[str, ...], backend: str,
) -> None:  # fmt: skip
    """Derive WINDOW again from the journals alone: its boards, bots, flags, grants, charges and moves.

    With --verify all of it is compared, byte for byte, with what is stored, and the journals with their digests: the
    first record that was altered is named. With --against it is played by the rules of another game file: who would
    have got what. The database is only read; a server may be running on it.
    """
    import_modules(modules)
    game = None if against is None else load_game(against)
    key = key_of(key_file)
    with told_in_one_line():
        made = anyio.run(_replayed, db, window, verify, game, against, key, backend=backend)
    if as_json:
        click.echo(json.dumps(plain(made), indent=2, ensure_ascii=False))
    else:
        for line in lines(made):
            click.echo(line)
    sys.exit(DIFFERENT if made.proof is not None and made.proof.difference_count else 0)


async def _replayed(
    db: str, window: str, verify: bool, game: GameFile | None, file: Path | None, key: str | None
) -> Replayed:
    async with reading(db) as store:
        made = await _made(store, window, verify, key)
        if game is not None and (made.proof is None or not made.proof.difference_count):
            made.against = await _against(store, made.derived, game, file)
        made.names = await _names(store, made)
        return made


async def _made(store: Store, window: str, verify: bool, key: str | None) -> Replayed:
    boards: list[Board] = []
    if not verify:
        derivation = Derivation(store)
        await derivation.calendar()
        derived = await derivation.window(window)
        if derived is None:
            give_up(f"{window}: no such window")
        boards += [board_of(contest) async for contest in derivation.boards(derived)]
        return Replayed(derived, boards)
    sealer = await known_sealer(store, key)
    prover = Prover(store, sealer, window)
    derived = await prover.prove(
        Derivation(store, sealer=sealer, watcher=prover), lambda contest: boards.append(board_of(contest))
    )
    if derived is None:
        give_up(f"{window}: no such window")
    return Replayed(derived, boards, prover.proof)


async def _against(store: Store, derived: Derived, game: GameFile, file: Path | None) -> Comparison:
    key = derived.window.floor.rules.event.key
    event = game.event(key)
    if event is None:
        give_up(f"{file}: no event '{key}', which the window is of")
    if derived.window.stage != "finalized":
        give_up(f"{derived.window.id}: the window is {derived.window.stage}: what is due at its end is not settled")
    payments = Payments()
    derivation = Derivation(store, watcher=payments)
    await derivation.calendar()
    again = await derivation.window(derived.window.id)
    if again is None:
        give_up(f"{derived.window.id}: no such window")
    return await Otherwise(store, payments, derivation, Rules.of(0, event, game)).compare(again)


async def _names(store: Store, made: Replayed) -> Names:
    wanted = {who for board in made.boards for who, _ in board.rows if isinstance(who, int)}
    if made.proof is not None:
        wanted |= {one.player for one in made.proof.differences if one.player is not None}
    if made.against is not None:
        wanted |= {one.player for one in made.against.changed}
    return {row.number: row.player_id for row in await store.players(sorted(wanted))}
