"""A window that was played again, in words and as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kraty_actors.actors.derivation import Derived
from kraty_actors.actors.otherwise import Changed, Comparison
from kraty_actors.actors.proof import Proof
from kraty_actors.actors.takings import entries_of
from kraty_actors.cli.wording import contents
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.ids import bot_seat

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


def board_of(contest: Contest) -> Board:
    """How a board stands at the end."""
    arena = contest.arena
    board = Board(contest.id, len(arena.board.standings), len(arena.bots))
    for row in arena.board.standings.page(0, ROWS_MAX):
        who = arena.bots.identity(bot_seat(row.participant)).name if row.is_bot else row.participant
        board.rows.append((who, arena.board.shown(row)))
    return board


# -- for people


def lines(made: Replayed) -> Iterator[str]:
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


def plain(made: Replayed) -> dict[str, Any]:
    derived = made.derived
    told = {
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
        told |= {"eventKey": derived.window.floor.rules.event.key, "state": derived.window.stage}
    if made.proof is not None:
        told["verified"] = _proof_plain(made.proof, made.names)
    if made.against is not None:
        told["against"] = _against_plain(made.against, made.names)
    return told


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
