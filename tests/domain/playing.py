"""Small events for the state machines to play by, without a game or a loop around them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kraty_actors.actors.records import pack, restore_command, unpack
from kraty_actors.definitions import BotDefinition, Bundle, EventDefinition, IdentityPool
from kraty_actors.domain.loot import Bundles
from kraty_actors.domain.outcome import Command, Gathers, Outcome, Plain, State
from kraty_actors.domain.periods import BoardRules
from kraty_actors.domain.rules import Rules

SEED = 7
START = 1_800_000_000_000
"""When the boards of these tests begin: ms, UTC."""
HOUR = 3_600_000
STREAK = [{"key": "streak", "target": 5, "capAtTarget": True, "resetOn": {"metricKey": "losses"}}, {"key": "losses"}]
CLIMBER = {"key": "climber", "behaviour": {"block": "random_step_with_fall"}}


def event(**fields: Any) -> EventDefinition:
    """An event named `race` with one metric `points`, and whatever else is said."""
    return EventDefinition.model_validate({"key": "race", "metrics": [{"key": "points"}], **fields})


def rules(
    definition: EventDefinition | None = None,
    bots: Sequence[dict[str, Any]] = (CLIMBER,),
    *,
    revision: int = 1,
    **fields: Any,
) -> Rules:
    """A revision of an event, by default the first. The bundles `pays_1` to `pays_9` pay so much cash."""
    seated = [BotDefinition.model_validate(bot) for bot in bots]
    return Rules(revision, definition or event(**fields), seated, (), None, PAYOUTS)


def cash(amount: int) -> dict[str, Any]:
    """An entry of a bundle, and of a grant."""
    return {"type": "currency", "currencyKey": "cash", "amount": amount}


PAYOUTS = Bundles(Bundle.model_validate({"key": f"pays_{n}", "entries": [cash(n)]}) for n in range(1, 10))


class Book:
    """A rulebook of one event's revisions, and of shared boards named by what they are: `sum desc never`."""

    def __init__(self, *pages: Rules) -> None:
        self._pages = {(page.event.key, page.revision): page for page in pages}

    def rules(self, event_key: str, revision: int) -> Rules:
        return self._pages[event_key, revision]

    def board(self, key: str, revision: int) -> BoardRules:
        aggregation, sort, cadence = key.split()
        return BoardRules(key, revision, sort, aggregation, cadence, "UTC", None, START)


def frozen(state: State) -> list[bytes]:
    """The whole state as a checkpoint holds it."""
    return [pack(part) for part in state.dump()]


def thawed(state: Any, parts: Iterable[bytes]) -> Any:
    """An empty state that takes over what `frozen` gave."""
    state.restore([unpack(part) for part in parts])
    return state


class Journal:
    """What the loop would have written down, read back as a replay reads it."""

    def __init__(self, actor_id: str) -> None:
        self._actor_id = actor_id
        self._records: list[tuple[int, bytes]] = []

    def add(self, now: int, command: Command) -> None:
        self._records.append((now, pack(command.record())))

    def replayed(self, state: State) -> Iterator[tuple[int, Outcome]]:
        """Apply everything once more; what comes of it, one by one, and when."""
        for now, record in self._records:
            yield now, state.apply(restore_command(self._actor_id, unpack(record)), now)

    def replayed_into(self, state: Any) -> Any:
        """Each input as a batch of its own."""
        for now, _ in self.replayed(state):
            if isinstance(state, Gathers):
                state.gathered(now)
        return state


def pool(**fields: Any) -> IdentityPool:
    return IdentityPool.model_validate(fields)


def expected_draws(seed: int, board: str, tick: int, seats: int) -> list[int]:
    """The documented layout of chance, cut by hand: 4 bytes of one extendable hash for each seat."""
    prefix = hashlib.sha256(str(seed).encode() + b"\0" + board.encode()).digest()
    block = hashlib.shake_256(prefix + tick.to_bytes(8, "big")).digest(seats * 4)
    return [int.from_bytes(block[4 * seat : 4 * seat + 4], "big") for seat in range(seats)]


def plain(state: State) -> list[Plain]:
    return [unpack(part) for part in frozen(state)]
