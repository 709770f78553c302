"""Who makes lobbies where the game does so itself (R-31): here, as many players as have a seat, in order of coming."""

from __future__ import annotations

from collections.abc import Callable

from kraty_actors.domain.window_messages import PushLobby
from kraty_actors.simulation.scenario import Scenario
from kraty_actors.simulation.stage import Stage


class Matchmaker:
    """Pushes a lobby once it is full, or when the first of those who wait has waited as long as lobbies wait."""

    def __init__(self, scenario: Scenario, stage: Stage, window_id: str, summon: Callable[[int], None]) -> None:
        board = scenario.event.leaderboard
        self._seats = max(1, (board.capacity or 2) - scenario.event.bot_count)
        self._patience = scenario.game.lobby_rules_of(scenario.event).fill_timeout_seconds * 1000
        self._stage = stage
        self._window_id = window_id
        self._summon = summon
        self._waiting: list[int] = []
        self._pushed = 0

    def seek(self, player: int) -> None:
        """The player waits for a lobby."""
        if player in self._waiting:
            return
        self._waiting.append(player)
        if len(self._waiting) >= self._seats:
            self._push(self._pushed)
        elif len(self._waiting) == 1:
            batch = self._pushed
            self._stage.at(self._stage.now + self._patience, lambda: self._push(batch))

    def _push(self, batch: int) -> None:
        if batch != self._pushed or not self._waiting:
            return
        players, self._waiting = self._waiting, []
        self._pushed += 1
        self._stage.call(self._window_id, PushLobby(f"match{self._pushed}", players, None, {}))
        for player in players:
            self._summon(player)
