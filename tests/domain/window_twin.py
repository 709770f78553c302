"""Who may enter a window, for what price, where they sit, and what becomes of it: the rules one after another, with a
scan for everything (R-16 to R-22, R-26, R-30, R-31, R-43)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

GROUP_CAPACITY = 50


@dataclass
class Board:
    """A contest, or a lobby before it has one. `seats` is the order in which players came; `here` those who are
    connected; `pile` is the cohort or league that it is for."""

    number: int
    seats: list[int] = field(default_factory=list)
    pile: Any = None
    capacity: int = 0
    bots: int = 0
    since: int = 0
    fill_by: int | None = None
    here: set[int] = field(default_factory=set)
    is_active: bool = True
    key: str | None = None


@dataclass
class Player:
    starts: list[int] = field(default_factory=list)
    running: bool = False
    completed: bool = False
    trait: Any = None
    charges: int = 0


class Twin:
    """`rules` are the event's, in JSON. `charged` and `invited` are all that were so far, in order."""

    def __init__(self, rules: dict[str, Any], ends_at: int | None, bots: int, zone: str, timeout_ms: int) -> None:
        self.attempt, self.board, self.ends_at = rules["attempt"], rules["leaderboard"], ends_at
        self.has_entry, self.has_unlock = "entryRequirement" in rules, "unlockCondition" in rules
        self.price = rules.get("entryCost", {"chargePer": None})["chargePer"]
        self.charged: list[tuple[int, int]] = []
        self.invited: list[int] = []
        self.mode = self.board["mode"]
        self.is_lobby = self.mode == "lobby_matched"
        self.bots, self.zone, self.timeout_ms = bots, zone, timeout_ms
        self.players: dict[int, Player] = {}
        self.boards: list[Board] = []
        self.numbers = 0
        self.open, self.paused, self.cancelled, self.held = True, False, False, False
        self.alone: int | None = None
        if self.mode in ("global", "none"):
            self._board()

    # -- players

    def admit(
        self, who: int, now: int, facts: set[str], elsewhere: int, trait: Any, league: str | None, *, is_short: bool
    ) -> tuple[Any, ...]:
        """("refused", code), ("attempt", contest, is_new, who starts), ("lobby", number) or ("unmatched",)."""
        if self.alone not in (None, who):
            return ("refused", "not_found")
        if self.paused:
            return ("refused", "event_disabled")
        if not self.open or (self.ends_at is not None and now >= self.ends_at):
            return ("refused", "no_active_window")
        player = self.players.get(who, Player())
        if player.running:
            return ("attempt", self.place_of(who), False, [])
        refused = self._refused(player, now, facts, elsewhere)
        if refused:
            return ("refused", refused)
        if is_short and self.is_due(player):
            return ("refused", "insufficient_entry_cost")
        return self._sit(who, now, trait, league)

    def is_due(self, player: Player) -> bool:
        """Whether the player's next start is to be paid for."""
        return self.price == "attempt" or (self.price == "window" and not player.charges)

    def place_of(self, who: int) -> int | None:
        places = [board.number for board in self.boards if who in board.seats]
        assert len(places) <= 1
        return places[0] if places else None

    def find(self, number: int) -> Board | None:
        return next((board for board in self.boards if board.number == number), None)

    def presence(self, who: int, *, here: bool) -> None:
        for lobby in self.forming:
            for one in lobby.seats if who == 0 else [who]:
                if one in lobby.seats:
                    (lobby.here.add if here else lobby.here.discard)(one)

    def _refused(self, player: Player, now: int, facts: set[str], elsewhere: int) -> str | None:
        if self.has_unlock and "other" not in facts:
            return "unlock_condition_failed"
        if self.has_entry and ("race" in facts or (player.completed and self.alone is None)):
            return "entry_requirement_failed"
        if player.starts and not self.attempt["replayableDuringWindow"]:
            return "max_attempts_reached"
        if len(player.starts) >= (self.attempt["maxAttempts"] or 10**9):
            return "max_attempts_reached"
        today = sum(self._date(at) == self._date(now) for at in player.starts)
        if today + elsewhere >= (self.attempt["maxDailyAttempts"] or 10**9):
            return "max_daily_attempts_reached"
        return None

    def _sit(self, who: int, now: int, trait: Any, league: str | None) -> tuple[Any, ...]:
        number = self.place_of(who)
        if number is None and self.is_lobby and self.board.get("matchmaking") == "external":
            return ("unmatched",)
        if number is None:
            self.players.setdefault(who, Player()).trait = trait
            board = self._board_for(who, now, league)
            board.seats.append(who)
        else:
            board = self.find(number) or Board(0)
        if board.is_active:
            return ("attempt", board.number, True, self._start([who], now, asker=who))
        board.here.add(who)
        if len(board.seats) == board.capacity - board.bots:
            return ("attempt", board.number, True, self.activate(board, now, asker=who))
        return ("lobby", board.number)

    def _board_for(self, who: int, now: int, league: str | None) -> Board:
        trait = self.players[who].trait
        if self.mode in ("global", "none"):
            return self.boards[0]
        if self.is_lobby:
            return self._matching(trait, now) or self._lobby(now)
        if self.mode == "grouped":
            pile = _cohort(trait) if self.board.get("cohortBy") else None
        else:
            pile = league if league in self.board["leagues"] else self.board["leagues"][0]
        fitting = [board for board in self.boards if board.pile == pile and self._has_seat(board)]
        return fitting[0] if fitting else self._board(pile=pile)

    def _has_seat(self, board: Board) -> bool:
        capacity = self.board.get("capacity") or (GROUP_CAPACITY if self.mode == "grouped" else 10**9)
        return len(board.seats) < capacity - self.bots

    def _board(self, **fields: Any) -> Board:
        self.numbers += 1
        self.boards.append(Board(self.numbers, **fields))
        return self.boards[-1]

    def _start(self, players: Iterable[int], now: int, asker: int | None = None) -> list[int]:
        """Who of them starts; who would have to pay without having asked is invited."""
        started = []
        for who in players:
            player = self.players[who]
            if self.is_due(player):
                if who != asker:
                    self.invited.append(who)
                    continue
                player.charges += 1
                self.charged.append((who, player.charges))
            player.starts.append(now)
            player.running = True
            started.append(who)
        return started

    def _date(self, at: int) -> object:
        return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(self.zone)).date()

    # -- lobbies

    @property
    def forming(self) -> list[Board]:
        return [lobby for lobby in self.boards if not lobby.is_active] if self.open else []

    def _lobby(self, now: int) -> Board:
        waits = None if self.board["fillStrategy"] == "wait_full" else now + self.timeout_ms
        return self._board(capacity=self.board["capacity"], bots=self.bots, since=now, fill_by=waits, is_active=False)

    def _matching(self, trait: Any, now: int, leaving: Board | None = None) -> Board | None:
        for lobby in self.forming:
            waited = now - (lobby if leaving is None else leaving).since
            if lobby is not leaving and all(self._match(trait, self.players[who].trait, waited) for who in lobby.seats):
                return lobby
        return None

    def _match(self, one: Any, other: Any, waited_ms: int) -> bool:
        rule = self.board.get("matchBy")
        if rule is None:
            return True
        reach = rule["maxDifference"] + rule["widenPerSecond"] * waited_ms / 1000
        return abs(_number(one) - _number(other)) <= reach

    def activate(self, lobby: Board, now: int, asker: int | None = None) -> list[int]:
        """The lobby begins; who of its players starts."""
        lobby.is_active = True
        if self.board["fillStrategy"] == "fill_with_bots" and self.bots:
            lobby.bots = lobby.capacity - len(lobby.seats)
        return self._start([who for who in lobby.seats if who in lobby.here], now, asker)

    def leave(self, who: int, number: int) -> str | None:
        """The code of the refusal, if it is one."""
        lobby = self.find(number) if self.is_lobby else None
        if lobby is None or who not in lobby.seats:
            return "not_found"
        if lobby.is_active or not self.open:
            return "conflict"
        self._vacate(lobby, who)
        del self.players[who]
        return None

    def unseat(self, who: int, number: int) -> bool:
        """Whether the player loses the seat: one in a lobby that has started, which nothing was started from."""
        lobby = self.find(number) if self.is_lobby else None
        if lobby is None or who not in lobby.seats or not lobby.is_active or not self.open or self.players[who].starts:
            return False
        lobby.seats.remove(who)
        del self.players[who]
        return True

    def ban(self, who: int) -> int | None:
        """The board that hears of it; a seat in a lobby that forms is given up."""
        board = self.find(self.place_of(who) or 0)
        if board is None or board.is_active:
            return board.number if board is not None else None
        if self.open:
            self._vacate(board, who)
            del self.players[who]
        return None

    def _vacate(self, lobby: Board, who: int) -> None:
        lobby.seats.remove(who)
        lobby.here.discard(who)
        if not lobby.seats:
            self.boards.remove(lobby)

    def start_lobby(self, number: int, now: int) -> str | list[int]:
        """The code of a refusal, or who starts."""
        lobby = self.find(number) if self.is_lobby else None
        if lobby is None:
            return "not_found"
        if lobby.is_active or not self.open or self.paused:
            return "conflict"
        return self.activate(lobby, now)

    def push(self, key: str, players: list[int], capacity: int | None, now: int) -> str | int:
        """The code of a refusal, or the lobby."""
        if not self.is_lobby:
            return "conflict"
        if not self.open or (self.ends_at is not None and now >= self.ends_at):
            return "no_active_window"
        seats = capacity or self.board["capacity"]
        known = next((lobby for lobby in self.boards if lobby.key == key), None)
        if known is not None:
            same = set(known.seats) == set(players) and known.capacity == seats
            return known.number if same else "idempotency_conflict"
        if len(players) > seats or len(set(players)) < len(players) or any(self.place_of(who) for who in players):
            return "validation_failed"
        lobby = self._board(seats=list(players), capacity=seats, bots=min(self.bots, seats - len(players)), key=key)
        for who in players:
            self.players[who] = Player()
        return lobby.number

    # -- time

    def time_passes(self, now: int) -> list[int]:
        """Whose attempts start because lobbies stop waiting."""
        started: list[int] = []
        for lobby in [] if self.paused else self.forming:
            if lobby.is_active or lobby.fill_by is None or lobby.fill_by > now:
                continue
            who = lobby.seats[0]
            other = self._matching(self.players[who].trait, now, leaving=lobby) if len(lobby.seats) == 1 else None
            if other is None:
                started += self.activate(lobby, now)
                continue
            is_here = who in lobby.here
            self._vacate(lobby, who)
            other.seats.append(who)
            if is_here:
                other.here.add(who)
            if len(other.seats) == other.capacity - other.bots:
                started += self.activate(other, now)
        return started


def _cohort(trait: Any) -> Any:
    return None if trait is None else (type(trait) in (int, float), trait if type(trait) is not bool else f"is {trait}")


def _number(trait: Any) -> float:
    return trait if type(trait) in (int, float) else 0


def shares(pool: int, scope: str, won: dict[int, int]) -> dict[int, int]:
    """What each winner is paid on each board, by how many have won there."""
    counts = won if scope == "board" else dict.fromkeys(won, sum(won.values()))
    return {number: pool // count if count else 0 for number, count in counts.items()}
