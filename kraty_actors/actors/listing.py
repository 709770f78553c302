"""What a player can see (R-55): every event with what stands between them and it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kraty_actors.actors.gates import Gates
from kraty_actors.actors.world import World
from kraty_actors.definitions import EventDefinition
from kraty_actors.domain.catalogue import EventView, WindowView
from kraty_actors.domain.conditions import Facts, failing
from kraty_actors.domain.days import day_start
from kraty_actors.domain.window_messages import MemberView
from kraty_persistence import PlayerRow


@dataclass(slots=True, frozen=True)
class Listed:
    """One event as one player sees it. `window` is None for one that is only to come, or that a start opens."""

    event: EventView
    rules_event: EventDefinition
    window: WindowView | None
    opens_at: int | None
    leaderboard_id: str | None
    lobby_id: str | None
    league: str | None
    current_attempt_id: str | None
    requirement_met: bool
    attempts_left: int | None

    @property
    def is_players_own(self) -> bool:
        """Whether the window is this player's alone (R-22)."""
        return self.event.is_per_player


class Listings:
    """Only the player's own part is computed for each call; what an event shows to all is the catalogue's."""

    def __init__(self, world: World, gates: Gates) -> None:
        self._world = world
        self._gates = gates

    async def of(self, player: PlayerRow, *, upcoming: bool) -> list[Listed]:
        """Every event that is to be listed for this player."""
        now = self._world.now_ms()
        await self._world.catalogue_at(now)
        facts = await self._gates.facts(player, self._world.wanted, now)
        found: list[Listed] = []
        for event in self._world.listed:
            if event.is_per_player:
                listed = await self._own(player, event, facts, now, upcoming=upcoming)
            else:
                listed = await self._shared(player, event, facts, now, upcoming=upcoming)
            if listed is not None:
                found.append(listed)
        return found

    async def _shared(
        self, player: PlayerRow, event: EventView, facts: Facts, now: int, *, upcoming: bool
    ) -> Listed | None:
        window = event.current(now)
        opens_at = event.next_start(now) if upcoming else None
        if window is not None:
            member = await self._gates.member(player.number, window.window_id, _day(event, now))
            elsewhere = await self._gates.started_elsewhere(player.number, event, window, now)
            return await self._listed(player, event, window, opens_at, member, elsewhere, facts)
        return None if opens_at is None else self._to_come(event, opens_at, facts)

    async def _own(
        self, player: PlayerRow, event: EventView, facts: Facts, now: int, *, upcoming: bool
    ) -> Listed | None:
        located, elsewhere = await self._gates.located(player, event, now)
        opens_at = located.opens_at if upcoming else None
        window = located.window
        if window is not None:
            member = await self._gates.member(player.number, window.window_id, _day(event, now))
            return await self._listed(player, event, window, opens_at, member, elsewhere, facts)
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
    ) -> Listed | None:
        rules = self._world.rules_event(window)
        if member.completed:
            facts = facts.with_completion(rules.key)
        if failing(rules.unlock_condition, facts) is not None:
            return None
        return Listed(
            event=event,
            rules_event=rules,
            window=window,
            opens_at=opens_at,
            leaderboard_id=member.contest_id if rules.leaderboard.mode != "none" else None,
            lobby_id=member.lobby.lobby_id if member.lobby is not None else None,
            league=member.league,
            current_attempt_id=await self._gates.running_attempt(player.number, member),
            requirement_met=failing(rules.entry_requirement, facts) is None,
            attempts_left=_attempts_left(rules, member.attempts, member.started_since + elsewhere),
        )

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
        return Listed(event, rules, window, opens_at, None, None, None, None, met, left)


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
