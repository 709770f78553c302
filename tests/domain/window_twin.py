"""Who may enter a window, where they sit, and who is paid: the rules one after another (R-16 to R-19, R-31, R-43)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo


@dataclass
class Seats:
    """A lobby. `seats` is the order in which players came; `here` those who are connected."""

    number: int
    fill_by: int | None
    seats: list[int] = field(default_factory=list)
    here: list[int] = field(default_factory=list)
    is_active: bool = False
    extra_bots: int = 0


@dataclass
class Player:
    starts: list[int] = field(default_factory=list)
    running: bool = False
    completed: bool = False


class Twin:
    """`rules` are the event's, in JSON."""

    def __init__(self, rules: dict[str, Any], ends_at: int | None, bots: int, zone: str, timeout_ms: int) -> None:
        self.attempt, self.board, self.ends_at = rules["attempt"], rules["leaderboard"], ends_at
        self.has_entry, self.has_unlock = "entryRequirement" in rules, "unlockCondition" in rules
        self.is_lobby = self.board["mode"] == "lobby_matched"
        self.human_seats = self.board["capacity"] - bots if self.is_lobby else 0
        self.bots, self.zone, self.timeout_ms = bots, zone, timeout_ms
        self.players: dict[int, Player] = {}
        self.lobbies: list[Seats] = []
        self.open = True

    def admit(self, who: int, now: int, facts: set[str], elsewhere: int) -> tuple[Any, ...]:
        """("refused", code), ("attempt", contest, is_new, seated players), or ("lobby", number)."""
        if not self.open or (self.ends_at is not None and now >= self.ends_at):
            return ("refused", "no_active_window")
        player = self.players.get(who)
        if player is not None and player.running:
            return ("attempt", self.contest_of(who), False, [])
        refused = self._refused(player or Player(), now, facts, elsewhere)
        if refused:
            return ("refused", refused)
        return self._sit(who, now)

    def time_passes(self, now: int) -> list[int] | None:
        """Whose attempts start because a lobby stops waiting; None if none does."""
        lobby = self.forming
        if lobby is None or lobby.fill_by is None or now < lobby.fill_by or not self.open:
            return None
        return self._activate(lobby, now)

    def presence(self, who: int, *, here: bool) -> None:
        lobby = self.forming
        for one in [] if lobby is None else lobby.seats if who == 0 else [who]:
            if lobby is not None and one in lobby.seats and here != (one in lobby.here):
                lobby.here.append(one) if here else lobby.here.remove(one)

    @property
    def forming(self) -> Seats | None:
        return next((lobby for lobby in self.lobbies if not lobby.is_active), None)

    def lobby_of(self, who: int) -> Seats | None:
        return next((lobby for lobby in self.lobbies if who in lobby.seats), None)

    def contest_of(self, who: int) -> int:
        lobby = self.lobby_of(who)
        return lobby.number if lobby else 1

    def _refused(self, player: Player, now: int, facts: set[str], elsewhere: int) -> str | None:
        if self.has_unlock and "other" not in facts:
            return "unlock_condition_failed"
        if self.has_entry and (player.completed or "race" in facts):
            return "entry_requirement_failed"
        if player.starts and not self.attempt["replayableDuringWindow"]:
            return "max_attempts_reached"
        if len(player.starts) >= (self.attempt["maxAttempts"] or 10**9):
            return "max_attempts_reached"
        today = sum(self._date(at) == self._date(now) for at in player.starts)
        if today + elsewhere >= (self.attempt["maxDailyAttempts"] or 10**9):
            return "max_daily_attempts_reached"
        return None

    def _sit(self, who: int, now: int) -> tuple[Any, ...]:
        if not self.is_lobby:
            return ("attempt", 1, True, self._start([who], now))
        lobby = self.lobby_of(who) or self.forming
        if lobby is None:
            waits = None if self.board["fillStrategy"] == "wait_full" else now + self.timeout_ms
            lobby = Seats(len(self.lobbies) + 1, waits)
            self.lobbies.append(lobby)
        if lobby.is_active:
            return ("attempt", lobby.number, True, self._start([who], now))
        if who not in lobby.seats:
            lobby.seats.append(who)
        if who not in lobby.here:
            lobby.here.append(who)
        if len(lobby.seats) == self.human_seats:
            return ("attempt", lobby.number, True, self._activate(lobby, now))
        return ("lobby", lobby.number)

    def _activate(self, lobby: Seats, now: int) -> list[int]:
        lobby.is_active = True
        if self.board["fillStrategy"] == "fill_with_bots" and self.bots:
            lobby.extra_bots = self.human_seats - len(lobby.seats)
        return self._start([who for who in lobby.seats if who in lobby.here], now)

    def _start(self, players: list[int], now: int) -> list[int]:
        for who in players:
            player = self.players.setdefault(who, Player())
            player.starts.append(now)
            player.running = True
        return players

    def _date(self, at: int) -> object:
        return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(self.zone)).date()


def shares(pool: int, scope: str, won: dict[int, list[int]]) -> dict[int, int]:
    """What each winner is paid, by board or by window."""
    groups = list(won.values()) if scope == "board" else [sorted({who for board in won.values() for who in board})]
    paid: dict[int, int] = {}
    for winners in groups:
        for who in winners:
            if pool // len(winners) >= 1:
                paid[who] = paid.get(who, 0) + pool // len(winners)
    return paid
