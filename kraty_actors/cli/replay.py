"""`replay`: what the journals of a window come to, if that is what is stored, and what it would be by other rules."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import click

from kraty_actors.actors.derivation import Derivation, Derived
from kraty_actors.actors.journal_key import known_sealer
from kraty_actors.actors.otherwise import Changed, Comparison, Otherwise, Payments
from kraty_actors.actors.proof import Proof, Prover
from kraty_actors.actors.takings import entries_of
from kraty_actors.cli.database import backend_option, db_option, reading, told_in_one_line
from kraty_actors.cli.faults import give_up, import_modules, key_of, key_option, load_game
from kraty_actors.cli.wording import contents
from kraty_actors.definitions import GameFile
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.ids import bot_seat
from kraty_actors.domain.rules import Rules
from kraty_persistence import Store

DIFFERENT = 1
"""The exit code where something is not what the journals give."""

ROWS_SHOWN = 10
BOARDS_SHOWN = 20
"""Of each board, and of the window; `--json` has more of both."""

ROWS_MAX = 200

Names = Mapping[int, str]


@dataclass(slots=True)
class Board:
    """One board as it ended, and its first rows: participant's number or bot's name, score."""

    contest_id: str
    size: int
    bots: int
    rows: list[tuple[int | str, float]] = field(default_factory=list)


@dataclass(slots=True)
class Replayed:
    """What came of it."""

    derived: Derived
    boards: list[Board]
    proof: Proof | None = None
    against: Comparison | None = None
    names: Names = field(default_factory=dict)


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
        click.echo(json.dumps(_plain(made), indent=2, ensure_ascii=False))
    else:
        for line in _lines(made):
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
        boards += [_board(contest) async for contest in derivation.boards(derived)]
        return Replayed(derived, boards)
    sealer = await known_sealer(store, key)
    prover = Prover(store, sealer, window)
    derived = await prover.prove(
        Derivation(store, sealer=sealer, watcher=prover), lambda contest: boards.append(_board(contest))
    )
    if derived is None:
        give_up(f"{window}: no such window")
    return Replayed(derived, boards, prover.proof)


def _board(contest: Contest) -> Board:
    arena = contest.arena
    board = Board(contest.id, len(arena.board.standings), len(arena.bots))
    for row in arena.board.standings.page(0, ROWS_MAX):
        who = arena.bots.identity(bot_seat(row.participant)).name if row.is_bot else row.participant
        board.rows.append((who, arena.board.shown(row)))
    return board


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


# -- for people


def _lines(made: Replayed) -> Iterator[str]:
    derived = made.derived
    yield f"window: {derived.window.id}"
    if derived.has_begun:
        yield f"event: {derived.window.floor.rules.event.key}"
        yield f"state: {derived.window.stage}"
    yield f"journal: {derived.records} records, {derived.inputs} inputs"
    for board in made.boards[:BOARDS_SHOWN]:
        yield f"board {board.contest_id}: {board.size} rows, {board.bots} bots"
        for rank, (who, score) in enumerate(board.rows[:ROWS_SHOWN], 1):
            yield f"  {rank}. {_who(who, made.names)}: {score}"
    if len(made.boards) > BOARDS_SHOWN:
        yield f"and {len(made.boards) - BOARDS_SHOWN} boards more"
    yield f"flags: {len(derived.anomalies)}"
    yield f"grants: {len(derived.grants)}: {contents(entries_of(derived.paid))}"
    yield f"charges: {sum(map(len, derived.charges.values()))}, given back: {sum(map(len, derived.refunds.values()))}"
    yield f"moves: {len(derived.moves)}"
    if made.proof is not None:
        yield from _proof_lines(made.proof, made.names)
    if made.against is not None:
        yield from _against_lines(made.against, made.names)


def _proof_lines(proof: Proof, names: Names) -> Iterator[str]:
    for link in proof.links[:BOARDS_SHOWN]:
        plain = f", the first {link.plain} of them without digests" if link.plain else ""
        yield f"chain {link.actor}: {link.records} records{plain}, sealed {link.sealed}, head {link.head.hex() or '-'}"
    for subject, count in sorted(proof.agreed.items()):
        yield f"agree: {subject}: {count}"
    for remark in proof.remarks:
        yield f"note: {remark}"
    for one in proof.differences[:1]:
        yield f"differs: {_named(one.player, names)}{one.what}"
    if proof.difference_count > 1:
        yield f"and {proof.difference_count - 1} differences more, which --json lists"
    if not proof.difference_count:
        yield "all of it agrees"


def _against_lines(made: Comparison, names: Names) -> Iterator[str]:
    yield f"otherwise: {made.players} players, {len(made.changed)} paid otherwise, {made.moved} of another rank"
    for one in made.changed:
        ranks = f"rank {one.rank or '-'} -> {one.rank_otherwise or '-'}"
        paid = f"{contents(entries_of(one.paid))} -> {contents(entries_of(one.paid_otherwise))}"
        yield f"{names.get(one.player, one.player)}: {ranks}; {paid}"
    for code, count in sorted(made.refused.items()):
        yield f"writes refused ({code}): {count}"
    yield f"paid: {contents(entries_of(made.paid))} -> {contents(entries_of(made.paid_otherwise))}"
    for (_, key), amount in sorted(made.difference.items()):
        yield f"difference {key}: {amount:+}"
    if made.charged or made.charged_otherwise:
        yield f"entry costs: {contents(entries_of(made.charged))} -> {contents(entries_of(made.charged_otherwise))}"


def _who(who: int | str, names: Names) -> str:
    return f"{who} (bot)" if isinstance(who, str) else names.get(who, f"number {who}")


def _named(player: int | None, names: Names) -> str:
    return "" if player is None else f"player {names.get(player, f'number {player}')}: "


# -- for programs


def _plain(made: Replayed) -> dict[str, Any]:
    derived = made.derived
    plain = {
        "windowId": derived.window.id,
        "records": derived.records,
        "inputs": derived.inputs,
        "boards": [_board_plain(board, made.names) for board in made.boards],
        "flags": len(derived.anomalies),
        "grants": len(derived.grants),
        "paid": entries_of(derived.paid),
        "charges": sum(map(len, derived.charges.values())),
        "refunds": sum(map(len, derived.refunds.values())),
        "moves": len(derived.moves),
    }
    if derived.has_begun:
        plain |= {"eventKey": derived.window.floor.rules.event.key, "state": derived.window.stage}
    if made.proof is not None:
        plain["verified"] = _proof_plain(made.proof, made.names)
    if made.against is not None:
        plain["against"] = _against_plain(made.against, made.names)
    return plain


def _board_plain(board: Board, names: Names) -> dict[str, Any]:
    rows = [
        {"rank": rank, "bot" if isinstance(who, str) else "playerId": who if isinstance(who, str) else names.get(who),
         "score": score}
        for rank, (who, score) in enumerate(board.rows, 1)
    ]  # fmt: skip
    return {"boardId": board.contest_id, "total": board.size, "bots": board.bots, "entries": rows}


def _proof_plain(proof: Proof, names: Names) -> dict[str, Any]:
    return {
        "agrees": not proof.difference_count,
        "agreed": dict(sorted(proof.agreed.items())),
        "differenceCount": proof.difference_count,
        "differences": [
            {"playerId": None if one.player is None else names.get(one.player), "what": one.what}
            for one in proof.differences
        ],
        "remarks": proof.remarks,
        "chains": [
            {"actor": one.actor, "records": one.records, "head": one.head.hex(), "sealed": one.sealed,
             "withoutDigest": one.plain}
            for one in proof.links
        ],
    }  # fmt: skip


def _against_plain(made: Comparison, names: Names) -> dict[str, Any]:
    return {
        "players": made.players,
        "moved": made.moved,
        "changed": [_changed_plain(one, names) for one in made.changed],
        "refused": dict(made.refused),
        "paid": entries_of(made.paid),
        "paidOtherwise": entries_of(made.paid_otherwise),
        "difference": _signed(made.difference.items()),
        "charged": entries_of(made.charged),
        "chargedOtherwise": entries_of(made.charged_otherwise),
    }


def _signed(amounts: Iterable[tuple[tuple[str, str], int]]) -> list[dict[str, Any]]:
    return [{"kind": kind, "key": key, "amount": amount} for (kind, key), amount in sorted(amounts)]


def _changed_plain(one: Changed, names: Names) -> dict[str, Any]:
    return {
        "playerId": names.get(one.player),
        "rank": one.rank,
        "rankOtherwise": one.rank_otherwise,
        "paid": entries_of(one.paid),
        "paidOtherwise": entries_of(one.paid_otherwise),
    }
