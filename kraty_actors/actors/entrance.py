"""How a player comes into an event (R-16 to R-18): checks in their order, then the window decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from kraty_actors.actors.gates import Gates
from kraty_actors.actors.outage import overloaded
from kraty_actors.actors.world import World
from kraty_actors.definitions import EventDefinition
from kraty_actors.domain.admission import gate_refusal, limit_refusal, missing, too_poor
from kraty_actors.domain.attempt import IN_PROGRESS, AttemptView
from kraty_actors.domain.catalogue import EventView, WindowView
from kraty_actors.domain.conditions import Facts, Scalar, facts_wanted
from kraty_actors.domain.contest_messages import GetAttempt
from kraty_actors.domain.ids import last_number
from kraty_actors.domain.lobby import LobbyView, Unmatched
from kraty_actors.domain.outcome import Refusal
from kraty_actors.domain.player_windows_messages import Visit, Visited
from kraty_actors.domain.window_messages import Admit, Invitation, Placed, Unseat
from kraty_persistence import PlayerRow

START_TRIES = 3

Started = AttemptView | LobbyView | Unmatched | Refusal


@dataclass(slots=True, frozen=True)
class Door:
    """The window that a player is to be admitted to."""

    window: WindowView
    rules: EventDefinition
    facts: Facts
    started_elsewhere: int


@dataclass(slots=True, frozen=True)
class Declined:
    """A seat in a lobby that started did not become an attempt (R-31)."""

    event_key: str
    lobby_id: str
    refusal: Refusal


class Entrance:
    """Asks for everything that a window needs to know, and lets it decide."""

    def __init__(self, world: World, gates: Gates) -> None:
        self._world = world
        self._gates = gates

    async def accept(self, player: PlayerRow, invitation: Invitation) -> Declined | None:
        """Start for a player who has a seat in a lobby that began, at the price of the event; who cannot pay it loses
        the seat."""
        started = await self.start(player, invitation.event_key, {}, announce=True)
        if not isinstance(started, Refusal):
            return None
        if started.code == "insufficient_entry_cost":
            number = last_number(invitation.lobby_id) or 0
            await self._world.loop.call(invitation.window_id, Unseat(player.number, number))
        return Declined(invitation.event_key, invitation.lobby_id, started)

    async def start(
        self, player: PlayerRow, event_key: str, context: Mapping[str, Scalar], *, announce: bool = False
    ) -> Started:
        """The running attempt, a new one, or the lobby that forms. `announce` tells the player of a new one by a push
        as well."""
        if player.banned:
            return Refusal("player_banned", "the player is banned")
        for _ in range(START_TRIES):
            reply, is_settled = await self._try_start(player, event_key, context, announce=announce)
            if is_settled:
                return reply
        return overloaded()

    async def _try_start(
        self, player: PlayerRow, event_key: str, context: Mapping[str, Scalar], *, announce: bool
    ) -> tuple[Started, bool]:
        """One try, and whether its answer stands: an attempt may end while it is being looked up."""
        asked_at = self._world.now_ms()
        door = await self._door(player, event_key)
        if isinstance(door, Refusal):
            return door, True
        admit = Admit(
            player.number,
            door.facts.record(),
            door.started_elsewhere,
            self._gates.trait(player, door.rules, context),
            await self._gates.league(player.number, door.rules),
            announce=announce,
        )
        placed = await self._admitted(door.window, admit)
        if not isinstance(placed, Placed):
            return cast("LobbyView | Unmatched | Refusal", placed), True
        if placed.is_new:
            return await self._begun(player, placed, asked_at), True
        attempt = await self._attempt(player, placed)
        if isinstance(attempt, Refusal):
            return attempt, attempt.code != "not_found"
        return attempt, attempt.status == IN_PROGRESS

    async def _begun(self, player: PlayerRow, placed: Placed, asked_at: int) -> AttemptView | Refusal:
        """The attempt to which the window has just admitted the player, and for which they have paid: whatever happens
        meanwhile, they are not told that they were not let in."""
        for _ in range(START_TRIES):
            attempt = await self._attempt(player, placed)
            if isinstance(attempt, Refusal):
                if attempt.code != "not_found":
                    return attempt
            elif attempt.status == IN_PROGRESS or attempt.started_at >= asked_at:
                return attempt  # else an older one: while the store is away questions go ahead of what the window told
        return overloaded()

    async def _attempt(self, player: PlayerRow, placed: Placed) -> AttemptView | Refusal:
        found = await self._world.loop.call(placed.contest_id, GetAttempt(player.number))
        return cast("AttemptView | Refusal", found)

    async def _admitted(self, window: WindowView, admit: Admit) -> object:
        """Have the window decide. Where a start has its price nobody else takes from the player's purse until it is
        paid: in the commit that admits them (R-20)."""
        costs = self._world.rules(window).costs
        if not costs:
            return await self._world.loop.call(window.window_id, admit)
        purses, player = self._world.purses, admit.player
        async with purses.opened(player):
            held = await purses.holdings(player)
            short = missing(costs, held.balances, held.inventory)
            admit = replace(admit, short=short[0] if short else None)
            placed = await self._world.loop.call(window.window_id, admit)
            if isinstance(placed, Refusal) and placed.code == "overloaded":
                self._world.dossiers.forget(player)
            return placed

    async def _door(self, player: PlayerRow, event_key: str) -> Door | Refusal:
        now = self._world.now_ms()
        catalogue = await self._world.catalogue_at(now)
        event = catalogue.events.get(event_key)
        if event is None:
            return Refusal("not_found", f"no event '{event_key}'")
        if event.state in ("draft", "paused"):
            return Refusal("event_disabled", f"{event_key} is {event.state}", {"state": event.state})
        if event.is_per_player:
            return await self._own_door(player, event, now)
        window = event.current(now)
        if window is None:  # perhaps one is due that cannot be opened while the store is away
            is_late = catalogue.due_at is not None and catalogue.due_at <= now
            return overloaded() if is_late else _closed(event, event.next_start(now))
        rules = self._world.rules_event(window)
        facts = await self._facts(player, rules, now)
        return Door(window, rules, facts, await self._gates.started_elsewhere(player.number, event, window, now))

    async def _own_door(self, player: PlayerRow, event: EventView, now: int) -> Door | Refusal:
        """A per-player window, which the first start opens (R-22): so what keeps it from that is judged before."""
        located, elsewhere = await self._gates.located(player, event, now)
        rules = event.event if located.window is None else self._world.rules_event(located.window)
        facts = await self._facts(player, rules, now)
        if located.window is None:
            if not located.may_open:
                return _closed(event, located.opens_at)
            refusal = await self._shut(player, event, facts, elsewhere, now)
            if refusal is not None:
                return refusal
            visit = Visit(player.number, self._gates.timezone(player))
            visited = await self._world.loop.call(event.player_windows, visit)
            if not isinstance(visited, Visited):
                return cast("Refusal", visited)
            elsewhere = await self._gates.elsewhere(player.number, event, visited, now)
            return Door(visited.window, self._world.rules_event(visited.window), facts, elsewhere)
        return Door(located.window, rules, facts, elsewhere)

    async def _shut(
        self, player: PlayerRow, event: EventView, facts: Facts, elsewhere: int, now: int
    ) -> Refusal | None:
        """What keeps the player from the first attempt in a window that is still to be opened for them (R-18)."""
        refusal = gate_refusal(event.event, facts) or limit_refusal(event.event, event.timezone, elsewhere, None, now)
        if refusal is not None or not event.rules.costs:
            return refusal
        held = await self._world.purses.holdings(player.number)
        short = missing(event.rules.costs, held.balances, held.inventory)
        return too_poor(short[0]) if short else None

    async def _facts(self, player: PlayerRow, rules: EventDefinition, now: int) -> Facts:
        return await self._gates.facts(player, facts_wanted(rules.unlock_condition, rules.entry_requirement), now)


def _closed(event: EventView, opens_at: int | None) -> Refusal:
    return Refusal("no_active_window", f"{event.event.key} has no open window", {"opensAt": opens_at})
