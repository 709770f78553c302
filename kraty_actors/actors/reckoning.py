"""What the players of a window that is over are due against what stands granted to them, board by board.

Of the window's grants a few words are kept for each player at a time, of its boards one: beside that, memory does not
grow with the number of players.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from anyio.lowlevel import checkpoint as yield_to_others

from kraty_actors.actors.copies import Copies
from kraty_actors.actors.records import unpack
from kraty_actors.definitions import RewardPolicySharedPool
from kraty_actors.domain.attempt import Attempt
from kraty_actors.domain.balancing import Balance, Held, balance
from kraty_actors.domain.ids import contest_id
from kraty_actors.domain.outcome import Pay, Plain
from kraty_actors.domain.pools import Pools
from kraty_actors.domain.retrial import Retrial
from kraty_actors.domain.rules import Rules
from kraty_actors.domain.window import Window
from kraty_persistence import GrantRow, Store

ATTEMPTS_PER_LOOK = 250
"""Attempts that are gone through before others have a turn."""


def corrections_key(window_id: str) -> str:
    """Where the store keeps who was left out of a window by corrections, as a JSON array of their numbers."""
    return f"corrected:{window_id}"


async def left_out_of(store: Store, window_id: str) -> frozenset[int]:
    """Who was left out of a window by earlier corrections."""
    kept = await store.get_meta(corrections_key(window_id))
    return frozenset(json.loads(kept) if kept is not None else ())


@dataclass(slots=True)
class Board:
    """One board of the window, judged; `balances` are those of players to whom something is to be given, or from whom
    it is to be taken."""

    number: int
    trial: Retrial
    balances: dict[int, Balance] = field(default_factory=dict)
    winners: int = 0


class Reckoning:
    """See the module. Players `without` are left out, those of them that are `before` were so already; grants that are
    to be given are dated `at`."""

    def __init__(
        self,
        store: Store,
        copies: Copies,
        window: Window,
        *,
        without: Collection[int],
        before: Collection[int],
        at: int,
    ) -> None:
        self._store = store
        self._copies = copies
        self._without = without
        self._before = before
        self._at = at
        self.window_id = window.id
        self.rules: Rules = window.floor.rules
        self.contests = list(window.floor.contests)
        self.pools = Pools(self.rules)
        self._is_paid = window.stage == "finalized"
        self.seen: Callable[[Sequence[GrantRow]], Awaitable[None]] | None = None
        """Is shown the grants of the window itself."""
        self.held: dict[int, list[Held]] = {}
        """By player, until their board was reckoned: then, what nobody on any board is known by."""

    async def boards(self) -> AsyncIterator[Board]:
        """Every board in order."""
        await self._look_what_is_held()
        shares = self._is_paid and self.rules.winner_predicate is not None
        known: Retrial | None = None
        if shares:
            for number in self.contests:
                known = await self._judged(number)
                self.pools.winners[number] = known.winners
        for number in self.contests:
            # Where there is but one board it need not be read again.
            trial = known if known is not None and len(self.contests) == 1 else await self._judged(number)
            board = Board(number, trial)
            await self._reckon(board, self.pools.share(number) if shares else 0, shares_a_pool=shares)
            yield board

    async def _judged(self, number: int) -> Retrial:
        contest = await self._copies.contest(contest_id(self.window_id, number))
        if contest is None:
            raise LookupError(f"contest {number} of {self.window_id} is not there")
        trial = Retrial(contest, self._without, self._before, self._at)
        for _ in trial.judging():
            await yield_to_others()
        return trial

    async def _reckon(self, board: Board, share: int, *, shares_a_pool: bool) -> None:
        def settle(player: int, due: Sequence[Pay]) -> None:
            found = balance(due, self.held.pop(player, ()), shares_a_pool=shares_a_pool)
            if found:
                board.balances[player] = found

        for pays in board.trial.paying(share) if self._is_paid else ():
            for player, due in _by_player(pays):
                settle(player, due)
                board.winners += 1
            await yield_to_others()
        for attempts in attempts_of(board.trial):
            for player in {attempt.player for attempt in attempts} & self.held.keys():
                settle(player, ())
            await yield_to_others()

    async def _look_what_is_held(self) -> None:
        policy = self.rules.event.reward_policy
        currency = policy.parameters.currency_key if isinstance(policy, RewardPolicySharedPool) else None
        async for page in grant_pages(self._store, self.window_id):
            if self.seen is not None:
                await self.seen(page)
            for row in page:
                worth = 0 if currency is None else _amount_in(unpack(row.contents), currency)
                held = Held(row.id, worth, row.withdrawn_at is not None, row.parent)
                self.held.setdefault(row.player, []).append(held)


def attempts_of(trial: Retrial) -> Iterator[Sequence[Attempt]]:
    """All attempts of a board, some at a time."""
    attempts = trial.arena.attempts
    return (attempts.some(start, ATTEMPTS_PER_LOOK) for start in range(0, len(attempts), ATTEMPTS_PER_LOOK))


async def grant_pages(store: Store, source: str, *, within: bool = False) -> AsyncIterator[list[GrantRow]]:
    """The grants of a source, as `Grants.grants_from`, page by page."""
    after: GrantRow | None = None
    while page := await store.grants_from(source, within=within, after=after):
        yield page
        after = page[-1]


async def descendants(store: Store, rows: Iterable[GrantRow]) -> list[GrantRow]:
    """What came out of grants, and out of that: crates, and what was in them. Not these grants themselves."""
    found: dict[str, GrantRow] = {}
    parents = [row.id for row in rows]
    while parents:
        children = [row for row in await store.grants_under(parents) if row.id not in found]
        found |= {row.id: row for row in children}
        parents = [row.id for row in children]
    return list(found.values())


def _by_player(pays: Iterable[Pay]) -> Iterator[tuple[int, list[Pay]]]:
    return ((player, list(due)) for player, due in groupby(pays, key=lambda pay: pay.player))


def _amount_in(entries: Iterable[Plain], currency: str) -> int:
    return sum(entry["amount"] for entry in entries if entry["type"] == "currency" and entry["currencyKey"] == currency)
