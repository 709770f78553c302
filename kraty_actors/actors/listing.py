"""What a player can see (R-55): every event with what stands between them and it.

Most events have nothing of this player in them: what such a one shows is the same for everybody, and is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from kraty_actors.actors.gates import Gates
from kraty_actors.actors.world import World
from kraty_actors.definitions import EventDefinition
from kraty_actors.domain.admission import is_due, missing
from kraty_actors.domain.catalogue import Catalogue, EventView, WindowView
from kraty_actors.domain.conditions import Facts, failing
from kraty_actors.domain.days import day_start
from kraty_actors.domain.ids import contest_id
from kraty_actors.domain.outcome import Plain
from kraty_actors.domain.rules import Rules
from kraty_actors.domain.window_messages import MemberView
from kraty_persistence import PlayerRow


@dataclass(slots=True, frozen=True, eq=False)
class Listed:
    """One event as one player sees it. `window` is None for one that is only to come, or that a start opens.

    `missing` is what the player has too little of to start, each as [resource, needed, have].

    One that `is_for_all` is the same object for every player without a part in the event; whoever encodes it may keep
    the result in `encoded`, by codec.
    """

    event: EventView
    rules: Rules
    window: WindowView | None
    opens_at: int | None
    leaderboard_id: str | None
    lobby_id: str | None
    league: str | None
    current_attempt_id: str | None
    requirement_met: bool
    attempts_left: int | None
    missing: Sequence[Sequence[Plain]] = ()
    is_for_all: bool = False
    encoded: dict[str, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Shown:
    """What an event shows to those who have no part in its current window; good until the instant `until`. Of a plain
    one that is all there is to know."""

    event: EventView
    rules: Rules
    window: WindowView | None
    opens_at: int | None
    until: int
    is_plain: bool
    kept: dict[tuple[bool, bool], Listed] = field(default_factory=dict)

    def to(self, facts: Facts, *, upcoming: bool) -> Listed | None:
        """What one of whom this is known sees, or None where there is nothing to list."""
        if self.window is None and not (upcoming and self.opens_at is not None):
            return None
        unlock, requirement = self.rules.event.unlock_condition, self.rules.event.entry_requirement
        if unlock is not None and failing(unlock, facts) is not None:
            return None
        name = upcoming, requirement is None or failing(requirement, facts) is None
        kept = self.kept.get(name)
        if kept is None:
            kept = self.kept[name] = self._listed(upcoming=upcoming, requirement_met=name[1])
        costs = self.rules.costs
        short = missing(costs, facts.balances, facts.items) if costs else None
        return replace(kept, missing=short, is_for_all=False, encoded={}) if short else kept

    def _listed(self, *, upcoming: bool, requirement_met: bool) -> Listed:
        is_one_board = self.rules.event.leaderboard.mode == "global" and self.window is not None
        return Listed(
            event=self.event,
            rules=self.rules,
            window=self.window,
            opens_at=self.opens_at if upcoming else None,
            leaderboard_id=contest_id(self.window.window_id, 1) if is_one_board and self.window else None,
            lobby_id=None,
            league=None,
            current_attempt_id=None,
            requirement_met=requirement_met,
            attempts_left=_attempts_left(self.rules.event, 0, 0),
            is_for_all=True,
        )


FOREVER = 1 << 60


class Listings:
    """Only the player's own part is computed for each call; a change of one event makes one `Shown` anew."""

    def __init__(self, world: World, gates: Gates) -> None:
        self._world = world
        self._gates = gates
        self._catalogue: Catalogue | None = None
        self._shown: dict[str, Shown] = {}
        self._until = FOREVER

    async def of(self, player: PlayerRow, *, upcoming: bool) -> list[Listed]:
        """Every event that is to be listed for this player."""
        now = self._world.now_ms()
        catalogue = await self._world.catalogue_at(now)
        if catalogue is not self._catalogue or now >= self._until:
            self._show(catalogue, now)
        facts = await self._gates.facts(player, self._world.wanted, now)
        found: list[Listed] = []
        is_stranger, number = self._gates.is_stranger, player.number
        for shown in self._shown.values():
            if shown.is_plain and (shown.window is None or is_stranger(number, shown.window.window_id, now)):
                listed = shown.to(facts, upcoming=upcoming)
            elif shown.event.is_per_player:
                listed = await self._own(player, shown.event, facts, now, upcoming=upcoming)
            else:
                listed = await self._shared(player, shown, facts, now, upcoming=upcoming)
            if listed is not None:
                found.append(listed)
        return found

    # -- what is the same for all

    def _show(self, catalogue: Catalogue, now: int) -> None:
        """Look again at the events that have changed, and at those whose time has come."""
        before, self._shown = self._shown, {}
        for event in self._world.listed:
            key = event.event.key
            kept = before.get(key)
            is_good = kept is not None and kept.event is event and now < kept.until
            self._shown[key] = kept if kept is not None and is_good else self._look_at(event, now)
        self._catalogue = catalogue
        self._until = min((shown.until for shown in self._shown.values()), default=FOREVER)

    def _look_at(self, event: EventView, now: int) -> Shown:
        window, opens_at = event.current(now), event.next_start(now)
        ends_at = window.ends_at if window is not None else None
        until = min((at for at in (ends_at, opens_at) if at is not None), default=FOREVER)
        rules = event.rules if window is None else self._world.rules(window)
        is_alike = not event.is_per_player and rules.event.leaderboard.mode != "segmented"
        is_plain = is_alike and rules.event.attempt.max_daily_attempts is None
        return Shown(event, rules, window, opens_at, until, is_plain)

    # -- what is the player's own

    async def _shared(
        self, player: PlayerRow, shown: Shown, facts: Facts, now: int, *, upcoming: bool
    ) -> Listed | None:
        event, window = shown.event, shown.window
        opens_at = shown.opens_at if upcoming else None
        if window is not None:
            member = await self._gates.member(player.number, window.window_id, now, _day(event, now))
            elsewhere = await self._gates.started_elsewhere(player.number, event, window, now)
            return await self._listed(player, event, window, opens_at, member, elsewhere, facts, now)
        return None if opens_at is None else self._to_come(event, opens_at, facts)

    async def _own(
        self, player: PlayerRow, event: EventView, facts: Facts, now: int, *, upcoming: bool
    ) -> Listed | None:
        located, elsewhere = await self._gates.located(player, event, now)
        opens_at = located.opens_at if upcoming else None
        window = located.window
        if window is not None:
            member = await self._gates.member(player.number, window.window_id, now, _day(event, now))
            return await self._listed(player, event, window, opens_at, member, elsewhere, facts, now)
        if located.may_open:
            return self._to_come(event, opens_at, facts, window=located.to_open, started_today=elsewhere)
        return None if opens_at is None else self._to_come(event, opens_at, facts)

    async def _listed(
        self,
        player: PlayerRow,
        event: EventView,
        window: WindowView,
        opens_at: int | None,
        member: MemberView,
        elsewhere: int,
        facts: Facts,
        now: int,
    ) -> Listed | None:
        rules = self._world.rules(window)
        definition = rules.event
        if member.completed:
            facts = facts.with_completion(definition.key)
        if failing(definition.unlock_condition, facts) is not None:
            return None
        return Listed(
            event=event,
            rules=rules,
            window=window,
            opens_at=opens_at,
            leaderboard_id=member.board_id,
            lobby_id=member.lobby.lobby_id if member.lobby is not None else None,
            league=member.league or await self._next_league(player.number, definition),
            current_attempt_id=await self._gates.running_attempt(player.number, member, now),
            requirement_met=failing(definition.entry_requirement, facts) is None,
            attempts_left=_attempts_left(definition, member.attempts, member.started_since + elsewhere),
            missing=self._missing(rules, member.charges, facts),
        )

    async def _next_league(self, player: int, event: EventDefinition) -> str | None:
        """Where a first start would put the player."""
        leagues = event.leaderboard.leagues if event.leaderboard.mode == "segmented" else ()
        moved_to = await self._gates.league(player, event)
        return moved_to if moved_to in leagues else next(iter(leagues), None)

    def _missing(self, rules: Rules, charges: int, facts: Facts) -> Sequence[Sequence[Plain]]:
        """What the player has too little of for the next start, if that is to be paid for."""
        return missing(rules.costs, facts.balances, facts.items) if is_due(rules, charges) else ()

    def _to_come(
        self,
        event: EventView,
        opens_at: int | None,
        facts: Facts,
        *,
        window: WindowView | None = None,
        started_today: int = 0,
    ) -> Listed | None:
        rules = event.event
        if failing(rules.unlock_condition, facts) is not None:
            return None
        met = failing(rules.entry_requirement, facts) is None
        left = _attempts_left(rules, 0, started_today)
        short = self._missing(event.rules, 0, facts)
        return Listed(event, event.rules, window, opens_at, None, None, None, None, met, left, short)


def _day(event: EventView, now: int) -> int:
    """Where the day began, for an event that counts attempts by the day."""
    return day_start(now, event.timezone) if event.event.attempt.max_daily_attempts is not None else 0


def _attempts_left(event: EventDefinition, made: int, made_today: int) -> int | None:
    left = min(_limits_left(event, made, made_today), default=None)
    return None if left is None else max(0, left)


def _limits_left(event: EventDefinition, made: int, made_today: int) -> Iterator[int]:
    rules = event.attempt
    if not rules.replayable_during_window:
        yield 1 - made
    elif rules.max_attempts is not None:
        yield rules.max_attempts - made
    if rules.max_daily_attempts is not None:
        yield rules.max_daily_attempts - made_today
