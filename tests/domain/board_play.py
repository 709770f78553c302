"""A board to play on by hand."""

from __future__ import annotations

from typing import Any

from playing import SEED, START, Book, event, frozen, rules, thawed

from kraty_actors.domain.board_view import BoardView, GetBoard
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import GetAttempt, Open, Seat, Write
from kraty_actors.domain.outcome import Outcome

BOARD = "waaaaaaaaaaaaaaaa.1"
CLIMBER_TO_9 = {
    "key": "climber",
    "behaviour": {"block": "random_step_with_fall", "params": {"target": 9, "fallChance": 0}},
}


class Play:
    """A board whose players write one after another, a second apart; `bots` of one kind look on."""

    def __init__(
        self, ends_at: int | None = None, bots: int = 0, bot: dict[str, Any] = CLIMBER_TO_9, **fields: Any
    ) -> None:
        bindings = [{"botId": bot["key"], "count": bots}] if bots else []
        self.rules = rules(event(**fields, botBindings=bindings), [bot])
        self.board = Contest(BOARD, Book(self.rules))
        self.now = START
        self.apply(Open("race", 1, SEED, START, ends_at))

    def apply(self, command: Any) -> Outcome:
        self.now += 1000
        return self.board.apply(command, self.now)

    def seat(self, *players: int) -> None:
        for player in players:
            self.apply(Seat(player))

    def write(self, serial: int, metrics: Any, mode: str = "increment", **said: Any) -> Any:
        player = self.board.apply(GetAttempt(-1, serial), self.now).reply.player
        return self.apply(Write(serial, metrics, mode, said.get("seq"), player)).reply

    def restart(self) -> None:
        """Go on from a checkpoint."""
        self.board = thawed(Contest(BOARD, Book(self.rules)), frozen(self.board))

    def rows(self) -> list[tuple[int, Any]]:
        view = self.board.apply(GetBoard(limit=200), self.now).reply
        assert isinstance(view, BoardView)
        return [(standing.participant, standing.score) for standing in view.standings]


def board(**leaderboard: Any) -> dict[str, Any]:
    return {"leaderboard": leaderboard}
