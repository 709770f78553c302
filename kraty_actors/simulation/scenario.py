"""What is to be simulated: an event of a game, who plays it, and when."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from kraty_actors.definitions import AvailabilityPersonal, EventDefinition, GameFile
from kraty_actors.domain.catalogue import Library
from kraty_actors.domain.conditions import Scalar
from kraty_actors.domain.ids import digest_id
from kraty_actors.domain.loot import Bundles
from kraty_actors.domain.own_schedules import own_schedule
from kraty_actors.domain.rules import Rules, Span
from kraty_actors.domain.schedule import in_zone, next_occurrence
from kraty_actors.domain.window_messages import OpenWindow
from kraty_actors.simulation.assumptions import with_gates_assumed

DAY_SECONDS = 86_400
MONDAY = 1_767_571_200_000
"""2026-01-05T00:00:00Z: when simulations begin that are told no other time. A result must not depend on today."""

REVISION = 1


class NeverOccurs(Exception):
    """The event has no occurrence to simulate."""


@dataclass(frozen=True, slots=True)
class Population:
    """Who plays: so many `players` of one behaviour.

    Each player has one of the values that `attributes` list for a name, by chance. `afford` is the share of players
    (0..1) who can pay what a start costs.
    """

    players: int
    behaviour: str = "mixed"
    attributes: Mapping[str, Sequence[Scalar]] = field(default_factory=dict)
    afford: float = 1.0


@dataclass(frozen=True)
class Scenario:
    """See the module.

    Attributes:
        seed: the root of all chance; `runs` windows are played, each with chance of its own.
        not_before: ms; the first occurrence from then on is played.
        seconds: how long a window without an end is open, and how long players of own windows come.

    Raises:
        NeverOccurs: when the rules or the span are asked for.
    """

    game: GameFile
    event: EventDefinition
    population: Population
    runs: int = 1
    seed: int = 0
    not_before: int = MONDAY
    seconds: int = DAY_SECONDS

    @cached_property
    def _assumed(self) -> tuple[EventDefinition, list[str]]:
        return with_gates_assumed(self.event, self.population.attributes.keys())

    @cached_property
    def rules(self) -> Rules:
        """The event as it is played."""
        game, event = self.game, self._assumed[0]
        named = {binding.bot_id for binding in event.bot_bindings}
        bots = [bot for bot in game.bots if bot.id in named or bot.key in named]
        pools = game.settings.identity_pools if bots else ()
        default_pool = game.settings.default_identity_pool if bots else None
        return Rules(REVISION, event, bots, pools, default_pool, Bundles.of(game))

    @cached_property
    def library(self) -> Library:
        library = Library()
        library.add(self.rules)
        return library

    @property
    def assumptions(self) -> list[str]:
        """What is taken for granted, in a line each."""
        notes = list(self._assumed[1])
        placed_by = self.placed_by
        if placed_by is not None and placed_by not in self.population.attributes:
            notes.append(f"nobody has the attribute {placed_by}: all are placed alike")
        if self.event.leaderboard.mode == "segmented":
            notes.append(f"everybody begins in the league {self.event.leaderboard.leagues[0]}")
        if self.event.contributes_to:
            notes.append("shared boards are left out")
        if any(item.crate_bundle_id is not None for item in self.game.items):
            notes.append("every crate is opened")
        return notes

    @property
    def placed_by(self) -> str | None:
        """The attribute by which players are placed (R-30, R-31)."""
        board = self.event.leaderboard
        if board.mode == "grouped":
            return board.cohort_by
        return board.match_by.attribute if board.mode == "lobby_matched" and board.match_by is not None else None

    # -- when

    @cached_property
    def is_per_player(self) -> bool:
        """Whether each player has windows of their own (R-22)."""
        return own_schedule(self.event.availability, self.timezone) is not None

    @property
    def timezone(self) -> str:
        return self.game.timezone_of(self.event)

    @cached_property
    def span(self) -> Span:
        """When the window is open, or when players come who have windows of their own."""
        availability = self.event.availability
        match availability.mode:
            case "always":
                return Span(self.not_before, self.not_before + self.seconds * 1000)
            case "fixed":
                return Span(availability.starts_at, availability.ends_at)
            case "personal":
                return self._personal_span(availability)
        schedule = in_zone(availability, self.timezone) if availability.mode == "local_calendar" else availability
        found = next_occurrence(schedule, self.not_before - 1, timezone=self.timezone)
        if found is None:
            raise NeverOccurs(f"{self.event.key} has no window from then on")
        return Span(found.starts_at, found.ends_at)

    def _personal_span(self, availability: AvailabilityPersonal) -> Span:
        begins = max(self.not_before, availability.starts_at or 0)
        ends = min(begins + self.seconds * 1000, availability.ends_at or begins + self.seconds * 1000)
        if ends <= begins:
            raise NeverOccurs(f"{self.event.key} has no window from then on")
        return Span(begins, ends)

    @property
    def ends_at(self) -> int:
        """The end of the span, in ms."""
        if self.span.ends_at is None:
            raise RuntimeError("a span that is simulated ends")
        return self.span.ends_at

    @property
    def length(self) -> float:
        """Seconds of the span."""
        return (self.ends_at - self.span.starts_at) / 1000

    @property
    def horizon(self) -> float:
        """Seconds until everything has ended: a window of a player's own outlasts the span."""
        availability = self.event.availability
        return self.length + (availability.duration_seconds if availability.mode == "personal" else 0)

    # -- chance

    def seed_of(self, run: int) -> int:
        """The seed of one run, from 0; below 2^53."""
        digest = hashlib.sha256(f"{self.seed}\0run\0{run}".encode()).digest()
        return int.from_bytes(digest[:8], "big") >> 11

    def window_id(self, run: int, *parts: object) -> str:
        """Each run has windows of its own, and with them other grants and other rolls."""
        return digest_id("w", self.event.key, *parts, "run", self.seed_of(run))

    def opening(
        self, seed: int, starts_at: int, ends_at: int | None, *, owner: str, player: int | None = None
    ) -> OpenWindow:
        """What a window of the event is told when it opens."""
        game = self.game
        lobby = game.lobby_rules_of(self.event)
        return OpenWindow(
            event_key=self.event.key,
            revision=REVISION,
            seed=seed,
            timezone=self.timezone,
            starts_at=starts_at,
            ends_at=ends_at,
            fill_timeout_seconds=lobby.fill_timeout_seconds,
            fill_strategy=lobby.fill_strategy,
            bot_tick_seconds=game.settings.bot_tick_seconds,
            owner=owner,
            player=player,
        )
