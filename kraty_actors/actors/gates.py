"""What stands between a player and an event: facts for conditions and limits, gathered before a window judges them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from kraty_actors.actors.loop import ActorLoop
from kraty_actors.definitions import EventDefinition
from kraty_actors.domain.attempt import AttemptView
from kraty_actors.domain.catalogue import Catalogue, EventView, Library, WindowView
from kraty_actors.domain.conditions import CompletionWanted, facts_wanted, failing
from kraty_actors.domain.contest_messages import GetAttempt
from kraty_actors.domain.days import day_start
from kraty_actors.domain.window_messages import GetMember, MemberView
from kraty_persistence import Store


@dataclass(slots=True, frozen=True)
class Listed:
    """One event as one player sees it (R-55). `window` is None for one that is only to come."""

    event: EventView
    rules_event: EventDefinition
    window: WindowView | None
    opens_at: int | None
    leaderboard_id: str | None
    lobby_id: str | None
    current_attempt_id: str | None
    requirement_met: bool
    attempts_left: int | None


class Gates:
    """Answers from memory where a window knows, else by one indexed query."""

    def __init__(self, store: Store, loop: ActorLoop, library: Library) -> None:
        self._store = store
        self._loop = loop
        self._library = library

    async def facts(
        self, player: int, event: EventDefinition, catalogue: Catalogue, now: int
    ) -> list[list[str | bool]]:
        """The completions that the event's conditions ask for and that hold, as records (R-19)."""
        wanted = dict.fromkeys(chain(facts_wanted(event.unlock_condition), facts_wanted(event.entry_requirement)))
        return [fact.record() for fact in wanted if await self._holds(player, fact, catalogue, now)]

    async def _holds(self, player: int, fact: CompletionWanted, catalogue: Catalogue, now: int) -> bool:
        if not fact.in_current_window:
            return await self._store.completed(player, fact.event_key)
        event = catalogue.events.get(fact.event_key)
        window = event.current(now) if event is not None else None
        return window is not None and await self._store.completed(player, fact.event_key, window.window_id)

    async def started_elsewhere(self, player: int, event: EventView, window: WindowView, now: int) -> int:
        """Today's starts of the player in the event's other windows, where the event limits them (R-17)."""
        if self._rules_event(event, window).attempt.max_daily_attempts is None:
            return 0
        today = day_start(now, event.timezone)
        others = [w for w in event.windows if w is not window and (w.ends_at is None or w.ends_at > today)]
        members = [await self._member(player, other, today) for other in others]
        return sum(member.started_since for member in members)

    async def listed(
        self, player: int, event: EventView, catalogue: Catalogue, now: int, *, upcoming: bool
    ) -> Listed | None:
        """The event for this player, or None if it is not to be listed."""
        window = event.current(now)
        following = next(iter(event.upcoming(now)), None) if upcoming else None
        if window is None:
            return None if following is None else await self._to_come(player, event, following, catalogue, now)
        rules = self._rules_event(event, window)
        member = await self._member(player, window, day_start(now, event.timezone))
        facts = await self._facts_with(player, rules, member, catalogue, now)
        if failing(rules.unlock_condition, facts) is not None:
            return None
        return Listed(
            event=event,
            rules_event=rules,
            window=window,
            opens_at=following.starts_at if following is not None else None,
            leaderboard_id=member.contest_id,
            lobby_id=member.lobby.lobby_id if member.lobby is not None else None,
            current_attempt_id=await self._running_attempt(player, member),
            requirement_met=failing(rules.entry_requirement, facts) is None,
            attempts_left=await self._attempts_left(player, event, window, member, now),
        )

    async def _to_come(
        self, player: int, event: EventView, following: WindowView, catalogue: Catalogue, now: int
    ) -> Listed | None:
        rules = event.event
        facts = await self._facts_with(player, rules, None, catalogue, now)
        if failing(rules.unlock_condition, facts) is not None:
            return None
        met = failing(rules.entry_requirement, facts) is None
        left = min(_limits(rules), default=None)
        return Listed(event, rules, None, following.starts_at, None, None, None, met, left)

    async def _facts_with(
        self, player: int, event: EventDefinition, member: MemberView | None, catalogue: Catalogue, now: int
    ) -> set[CompletionWanted]:
        facts = await self.facts(player, event, catalogue, now)
        held = {CompletionWanted(str(key), bool(current)) for key, current in facts}
        if member is not None and member.completed:
            held |= {CompletionWanted(event.key, True), CompletionWanted(event.key, False)}
        return held

    async def _running_attempt(self, player: int, member: MemberView) -> str | None:
        if not member.running or member.contest_id is None:
            return None
        attempt = await self._loop.call(member.contest_id, GetAttempt(player))
        return attempt.attempt_id if isinstance(attempt, AttemptView) else None

    async def _attempts_left(
        self, player: int, event: EventView, window: WindowView, member: MemberView, now: int
    ) -> int | None:
        rules = self._rules_event(event, window).attempt
        most = rules.max_attempts if rules.replayable_during_window else 1
        left = [] if most is None else [most - member.attempts]
        if rules.max_daily_attempts is not None:
            elsewhere = await self.started_elsewhere(player, event, window, now)
            left.append(rules.max_daily_attempts - member.started_since - elsewhere)
        return max(0, min(left)) if left else None

    async def _member(self, player: int, window: WindowView, since: int) -> MemberView:
        reply = await self._loop.call(window.window_id, GetMember(player, since))
        return reply if isinstance(reply, MemberView) else MemberView(None, None, False, False, 0, 0)

    def _rules_event(self, event: EventView, window: WindowView) -> EventDefinition:
        return self._library.rules(event.event.key, window.revision).event


def _limits(event: EventDefinition) -> Iterator[int]:
    if not event.attempt.replayable_during_window:
        yield 1
    elif event.attempt.max_attempts is not None:
        yield event.attempt.max_attempts
    if event.attempt.max_daily_attempts is not None:
        yield event.attempt.max_daily_attempts
