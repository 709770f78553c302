"""A board to play on by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playing import SEED, START, Book, event, frozen, rules, thawed

from kraty_actors.domain.board_view import BoardView, GetBoard
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import Close, GetAttempt, Open, Seat, Settle, Write
from kraty_actors.domain.outcome import Outcome, Pay, Tick

BOARD = "waaaaaaaaaaaaaaaa.1"
CLIMBER_TO_9 = {
    "key": "climber",
    "behaviour": {"block": "random_step_with_fall", "params": {"target": 9, "fallChance": 0}},
}


class Play:
    """A board whose players write one after another, a second apart; `bots` of one kind look on."""

    def __init__(
        self,
        ends_at: int | None = None,
        bots: int = 0,
        bot: dict[str, Any] = CLIMBER_TO_9,
        league: str | None = None,
        **fields: Any,
    ) -> None:
        bindings = [{"botId": bot["key"], "count": bots}] if bots else []
        self.rules = rules(event(**fields, botBindings=bindings), [bot])
        self.board = Contest(BOARD, Book(self.rules))
        self.now = START
        self.apply(Open("race", 1, SEED, START, ends_at, league=league))

    def apply(self, command: Any) -> Outcome:
        self.now += 1000
        return self.board.apply(command, self.now)

    def seat(self, *players: int) -> None:
        for player in players:
            self.apply(Seat(player))

    def write(self, serial: int, metrics: Any, mode: str = "increment", **said: Any) -> Any:
        player = self.board.apply(GetAttempt(-1, serial), self.now).reply.player
        return self.apply(Write(serial, metrics, mode, said.get("seq"), player)).reply

    def steps(self, command: Any) -> list[Outcome]:
        """Say it, and let the board go on by itself until it waits for a word."""
        made = [self.apply(command)]
        while self.board.wake_at is not None and self.board.conclusion is not None:
            self.restart()
            made.append(self.apply(Tick()))
        return made

    def close(self, *, is_cancelled: bool = False) -> list[Outcome]:
        return self.steps(Close(self.now, is_cancelled))

    def settle(self, share: int = 0, *, is_cancelled: bool = False) -> list[Outcome]:
        return self.steps(Settle(share, is_cancelled))

    def restart(self) -> None:
        """Go on from a checkpoint."""
        self.board = thawed(Contest(BOARD, Book(self.rules)), frozen(self.board))

    def rows(self) -> list[tuple[int, Any]]:
        view = self.board.apply(GetBoard(limit=200), self.now).reply
        assert isinstance(view, BoardView)
        return [(standing.participant, standing.score) for standing in view.standings]


def paid(outcomes: Outcome | Sequence[Outcome]) -> list[tuple[int, int]]:
    """Who was paid how much, in order."""
    steps = [outcomes] if isinstance(outcomes, Outcome) else outcomes
    pays = [effect for step in steps for effect in step.effects if isinstance(effect, Pay)]
    told = [notice.body for step in steps for notice in step.notices if notice.push == "grant"]
    assert sorted(pay.grant_id for pay in pays) == sorted(pay.grant_id for pay in told)
    return [(pay.player, entry["amount"]) for pay in pays for entry in pay.entries]


def said(outcomes: Sequence[Outcome], kind: type) -> list[Any]:
    return [message.command for one in outcomes for message in one.messages if isinstance(message.command, kind)]


def board(**leaderboard: Any) -> dict[str, Any]:
    return {"leaderboard": leaderboard}
