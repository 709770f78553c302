"""A process of its own that has nothing but a database: python replaying_process.py URL WINDOW...

Prints what the windows' journals give as JSON: standings, bots, attempts and grants as players see them, and a
digest of each board's whole state.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from typing import Any

import anyio

from kraty_actors.actors.derivation import Derivation, Watcher
from kraty_actors.actors.effects import GrantTerms
from kraty_actors.actors.playback import Input, Playback
from kraty_actors.actors.players import Players
from kraty_actors.actors.records import pack
from kraty_actors.domain.attempt import AttemptView
from kraty_actors.domain.board_view import BoardView, GetBoard
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import ANYONE, GetAttempt
from kraty_actors.domain.outcome import Outcome, Pay
from kraty_actors.gateway import translate
from kraty_persistence import Store
from kraty_persistence.sql import open_sql_store

EVERYTHING = 10**6


def digest(parts: Iterable[bytes]) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


def attempts(contest: Contest) -> Iterable[AttemptView]:
    serial = 0
    while isinstance(view := contest.apply(GetAttempt(ANYONE, serial), 0).reply, AttemptView):
        yield view
        serial += 1


class Paid(Watcher):
    """Keeps every grant, in the order in which they were written."""

    def __init__(self) -> None:
        self.pays: list[Pay] = []

    def seen(self, playback: Playback, each: Input, outcome: Outcome) -> None:
        self.pays += [effect for effect in outcome.effects if isinstance(effect, Pay)]


async def shown(store: Store, window: str, players: Players) -> dict[str, Any]:
    """The window as players see it, from its journals alone."""
    paid = Paid()
    derivation = Derivation(store, watcher=paid)
    await derivation.calendar()
    derived = await derivation.window(window)
    if derived is None:
        raise LookupError(window)
    found: dict[str, Any] = {"standings": {}, "bots": {}, "attempts": {}, "grants": {}, "states": {}}
    async for contest in derivation.boards(derived):
        name = contest.id
        view = contest.apply(GetBoard(limit=EVERYTHING), 0).reply
        if not isinstance(view, BoardView):
            raise TypeError(f"{name} shows no board")
        await players.fetch([one.participant for one in view.standings if one.bot is None])
        board = translate.board(view, players, None)
        found["standings"][name] = board["entries"]
        bots = contest.arena.bots
        found["bots"][name] = [[bots.identity(seat).name, value] for seat, value in enumerate(bots.values)]
        found["attempts"] |= {view.attempt_id: translate.attempt(view) for view in attempts(contest)}
        found["states"][name] = digest(map(pack, contest.dump()))
    found["grants"] = {pay.grant_id: await grant(pay, players) for pay in paid.pays}
    return found


async def grant(pay: Pay, players: Players) -> list[Any]:
    await players.fetch([pay.player])
    return [players.row(pay.player).player_id, translate.paid(pay, GrantTerms())]


async def main(url: str, *windows: str) -> None:
    async with open_sql_store(url, owner=False) as store:
        players = Players(store)
        for window in windows:
            print(json.dumps(await shown(store, window, players)))


if __name__ == "__main__":
    anyio.run(main, *sys.argv[1:])
