"""What comes of one run: what was paid and charged, what happened when, and how the boards stand in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from kraty_actors.definitions import Entry, GameFile
from kraty_actors.domain.attempt import AttemptView
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.ids import bot_seat, digest_id
from kraty_actors.domain.lobby import LobbyView
from kraty_actors.domain.loot import Bundles, grants_of, roll
from kraty_actors.domain.numbers import Number
from kraty_actors.domain.outcome import Charged, Effect, Flagged, Notice, Pay, Plain, Started

CRATE_OPEN = "crate_open"

CRATES_DEEP = 8
"""How often a crate is opened that was in a crate."""

Amounts: TypeAlias = Counter[tuple[str, str]]
"""How much of what, by kind (`currency`, `item` or `crate`) and key."""


@dataclass(slots=True)
class LobbyRecord:
    """A lobby that was made at `since` (ms). `started_at` is None for one that never was; `humans` and `bots` sat in it
    then, of `capacity` seats."""

    since: int
    capacity: int
    started_at: int | None = None
    humans: int = 0
    bots: int = 0


@dataclass(slots=True)
class Tally:
    """See the module; it hears everything. Amounts of `by_source` are by (source kind, kind, key)."""

    game: GameFile
    pays: list[Pay] = field(default_factory=list)
    paid: Amounts = field(default_factory=Counter)
    by_source: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    income: Amounts = field(default_factory=Counter)
    attempts: int = 0
    flagged: int = 0
    entered: set[int] = field(default_factory=set)
    rewarded: set[int] = field(default_factory=set)
    completers: set[int] = field(default_factory=set)
    completions: list[int] = field(default_factory=list)
    lobbies: dict[str, LobbyRecord] = field(default_factory=dict)
    _crates: Mapping[str, Sequence[Entry]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bundles = Bundles.of(self.game)
        self._crates = {one.key: bundles[one.crate_bundle_id] for one in self.game.items if one.crate_bundle_id}

    def hear_effects(self, effects: Iterable[Effect]) -> None:
        """What is to be stored."""
        for effect in effects:
            match effect:
                case Pay():
                    self._pay(effect)
                case Started():
                    self.attempts += 1
                    self.entered.add(effect.player)
                case Charged():
                    self.income.update({(cost.kind, cost.key): cost.amount for cost in effect.costs})
                case Flagged():
                    self.flagged += 1

    def hear_notice(self, notice: Notice, now: int) -> None:
        """What is pushed, at an instant in ms."""
        body = notice.body
        if isinstance(body, AttemptView):
            if notice.push == "attempt.ended" and body.completed_at is not None:
                self.completions.append(body.completed_at)
                self.completers.add(body.player)
        elif isinstance(body, LobbyView):
            if notice.push == "lobby.created":
                self.lobbies[body.lobby_id] = LobbyRecord(now, body.capacity)
            if body.started_at is not None and notice.push in ("lobby.created", "lobby.started"):
                lobby = self.lobbies[body.lobby_id]
                lobby.started_at, lobby.humans, lobby.bots = body.started_at, body.participant_count, body.bot_slots

            if notice.push == "lobby.closed" and not body.players:
                del self.lobbies[body.lobby_id]  # its only player moved on to another one

    def _pay(self, pay: Pay) -> None:
        self.pays.append(pay)
        self.rewarded.add(pay.player)
        for contents in (pay, *self._opened(pay, 0)):
            for kind, key, amount in _amounts(contents.entries):
                self.paid[kind, key] += amount
                self.by_source[contents.source_kind, kind, key] += amount

    def _opened(self, pay: Pay, depth: int) -> Iterator[Pay]:
        """What a crate gives when it is opened, and what the crates in it give; the same as in a running game."""
        if pay.kind != "crate" or depth == CRATES_DEEP:
            return
        entries = self._crates.get(pay.entries[0]["crateItemKey"], ())
        name = digest_id("g", pay.grant_id, CRATE_OPEN)
        found = grants_of(
            roll(entries, name),
            grant_id=name,
            player=pay.player,
            source_kind=CRATE_OPEN,
            source_ref=pay.grant_id,
            at=pay.at,
        )
        for one in found:
            yield one
            yield from self._opened(one, depth + 1)


def _amounts(entries: Iterable[Plain]) -> Iterator[tuple[str, str, int]]:
    for entry in entries:
        match entry["type"]:
            case "currency":
                yield "currency", entry["currencyKey"], entry["amount"]
            case "item":
                yield "item", entry["itemKey"], entry["quantity"]
            case "crate":
                yield "crate", entry["crateItemKey"], entry["quantity"]


# -- boards


@dataclass(slots=True, frozen=True)
class Place:
    """One row of a final board. `rank_among_humans` is the rank that a player would have if no bots stood there, and
    None for a bot. `name` is a bot's; players are `player 1` and so on."""

    rank: int
    is_bot: bool
    name: str
    score: Number
    rank_among_humans: int | None


@dataclass(slots=True, frozen=True)
class FinalBoard:
    """How a board stood in the end. `league` is the one of which it is a division."""

    board_id: str
    league: str | None
    places: Sequence[Place]


def final_boards(contests: Iterable[Contest]) -> list[FinalBoard]:
    """The boards, in the order in which they were opened."""
    return [
        FinalBoard(contest.id, contest.arena.opening.league, _places(contest))
        for contest in contests
        if contest.arena.rules.has_board
    ]


def _places(contest: Contest) -> list[Place]:
    arena, places, humans = contest.arena, [], 0
    for rank, row in enumerate(arena.board.standings, 1):
        score = row.sort_score if arena.rules.ascending else -row.sort_score
        if row.is_bot:
            name = arena.bots.identity(bot_seat(row.participant)).name
            places.append(Place(rank, True, name, score, None))
        else:
            humans += 1
            places.append(Place(rank, False, f"player {row.participant}", score, humans))
    return places
