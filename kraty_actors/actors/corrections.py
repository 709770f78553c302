"""A final window paid as it would have been without some players: first as a plan, then, if so asked, for good.

What was granted is compared with what the same rules pay without them, so a correction that was broken off is finished
by asking for it again, and one that is finished is nothing the second time. Who was left out stays out of the window:
the next correction adds to them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import anyio

from kraty_actors.actors.close_report import CloseReport, Closing
from kraty_actors.actors.copies import Copies
from kraty_actors.actors.effects import GrantTerms, new_grant
from kraty_actors.actors.players import Players
from kraty_actors.actors.purses import Purses
from kraty_actors.actors.reckoning import Board, Reckoning, corrections_key, descendants, grant_pages, left_out_of
from kraty_actors.actors.records import pack
from kraty_actors.actors.takings import Amounts, amounts_of, entries_of, foretold, summed, unclaimed
from kraty_actors.domain.ids import attempt_id
from kraty_actors.domain.outcome import Pay, Refusal
from kraty_actors.domain.window import Window
from kraty_persistence import AuditEntry, GrantRow, Store

PLAYERS_PER_CHUNK = 200
"""Players who are given and taken from at the same time; their changes share commits."""

MOVERS_MAX = 1_000
"""Players named of those who only move up; all are counted."""

REASON = "correction"


@dataclass(slots=True)
class Correction:
    """What becomes of one player. `take` are the grants that are taken back, everything that came out of them too;
    `taken` is what they are worth, `owed` the part of it that is not there any more."""

    player: int
    is_left_out: bool = False
    rank_before: int | None = None
    rank_after: int | None = None
    give: list[Pay] = field(default_factory=list)
    take: list[GrantRow] = field(default_factory=list)
    taken: Amounts = field(default_factory=Counter)
    owed: Amounts = field(default_factory=Counter)

    @property
    def given(self) -> Amounts:
        return amounts_of(pay.entries for pay in self.give)

    @property
    def changes_hands(self) -> bool:
        """Whether anything is given or taken."""
        return bool(self.give or self.take)


@dataclass(slots=True)
class Plan:
    """What a correction does. `corrections` has everybody who gets or gives back something, who is left out, and of
    those who only move up the first of each board; `moved` counts all who do."""

    window_id: str
    left_out_before: frozenset[int]
    left_out: frozenset[int]
    corrections: list[Correction] = field(default_factory=list)
    moved: int = 0
    is_applied: bool = False

    @property
    def sums(self) -> tuple[Amounts, Amounts, Amounts]:
        """What is given, taken and owed, with all players together."""
        given: Amounts = Counter()
        taken: Amounts = Counter()
        owed: Amounts = Counter()
        for one in self.corrections:
            given.update(one.given)
            taken.update(one.taken)
            owed.update(one.owed)
        return given, taken, owed


class Corrections:
    """See the module. One is carried out at a time."""

    def __init__(
        self,
        store: Store,
        copies: Copies,
        players: Players,
        purses: Purses,
        *,
        now_ms: Callable[[], int],
        terms: Callable[[], GrantTerms],
        forget: Callable[[int], None],
    ) -> None:
        self._store = store
        self._copies = copies
        self._players = players
        self._purses = purses
        self._now_ms = now_ms
        self._terms = terms
        self._forget = forget
        self._one_at_a_time = anyio.Lock()

    async def correct(self, window_id: str, without: Sequence[str], *, apply: bool, who: str) -> Plan | Refusal:
        """Plan, and with `apply` carry out, a window without these players, by their own ids."""
        async with self._one_at_a_time:
            window = await self._copies.window(window_id)
            if window is None:
                return Refusal("not_found", "no such window")
            if window.stage != "finalized":
                return too_early(window.stage)
            named = await self._named(window, without)
            if isinstance(named, Refusal):
                return named
            plan = await self._plan(window, named)
            if apply:
                await self._apply(plan, who)
            return plan

    async def close_report(self, window_id: str) -> CloseReport | Refusal:
        """A window that is over, reconciled; not while a correction is under way."""
        async with self._one_at_a_time:
            window = await self._copies.window(window_id)
            if window is None:
                return Refusal("not_found", "no such window")
            if window.stage not in ("finalized", "cancelled"):
                message = f"the window is {window.stage}: it is not finalized yet"
                return Refusal("conflict", message, {"state": window.stage})
            return await Closing(self._store, self._copies, window, self._now_ms()).report()

    async def _named(self, window: Window, without: Sequence[str]) -> frozenset[int] | Refusal:
        numbers: set[int] = set()
        for n, player_id in enumerate(without):
            row = await self._players.find(player_id)
            member = None if row is None else window.floor.members.get(row.number)
            if row is None or member is None or not member.attempts:
                what = "no player" if row is None else "nobody in this window was"
                return Refusal("not_found", f"{what} '{player_id}'", {"path": f"without[{n}]"})
            numbers.add(row.number)
        return frozenset(numbers)

    # -- the plan

    async def _plan(self, window: Window, named: frozenset[int]) -> Plan:
        remembered = await left_out_of(self._store, window.id)
        plan = Plan(window.id, remembered, remembered | named)
        before = remembered - named
        reckoning = Reckoning(
            self._store, self._copies, window, without=plan.left_out, before=before, at=self._now_ms()
        )
        async for board in reckoning.boards():
            await self._plan_board(plan, board, names_somebody_new=bool(named - remembered))
        return plan

    async def _plan_board(self, plan: Plan, board: Board, *, names_somebody_new: bool) -> None:
        trial = board.trial
        new = [player for player in trial.left_out if player not in plan.left_out_before]
        rows = {player: Correction(player, is_left_out=True) for player in new}
        for player, balance in board.balances.items():
            row = rows.setdefault(player, Correction(player))
            row.give = list(balance.give)
            row.take = await self._with_descendants(await self._grants(player, balance.take))
        for player in trial.left_out:
            take = await self._of_attempts(board, player)
            if take:
                rows.setdefault(player, Correction(player)).take += take
        if names_somebody_new:
            plan.moved += trial.moved
            for player in trial.who_moved(MOVERS_MAX):
                rows.setdefault(player, Correction(player))
        for row in rows.values():
            row.rank_before, row.rank_after = trial.rank_then(row.player), trial.rank(row.player)
            if row.take:
                row.taken, row.owed = foretold(row.take, await self._store.dossier(row.player))
        plan.corrections += sorted(rows.values(), key=_by_rank)

    async def _grants(self, player: int, ids: Iterable[str]) -> list[GrantRow]:
        found = [await self._store.grant(grant_id, player) for grant_id in ids]
        return [row for row in found if row is not None]

    async def _of_attempts(self, board: Board, player: int) -> list[GrantRow]:
        """What the attempts of a player have earned on the way, and still stands."""
        found: list[GrantRow] = []
        for attempt in board.trial.arena.attempts.of(player):
            async for page in grant_pages(self._store, attempt_id(board.trial.arena.id, attempt.serial)):
                found += page
        return await self._with_descendants(found)

    async def _with_descendants(self, rows: Sequence[GrantRow]) -> list[GrantRow]:
        """Grants that stand, and those that came out of them."""
        every = {row.id: row for row in [*rows, *await descendants(self._store, rows)]} if rows else {}
        return [row for row in every.values() if row.withdrawn_at is None]

    # -- carried out

    async def _apply(self, plan: Plan, who: str) -> None:
        """First who is left out, so that a crash leaves nothing behind that is not in the audit trail."""
        now = self._now_ms()
        if plan.left_out != plan.left_out_before:
            left_out = json.dumps(sorted(plan.left_out))
            await self._store.set_meta(corrections_key(plan.window_id), left_out, audited=_audited(plan, who, now))
        due = [one for one in plan.corrections if one.changes_hands]
        for start in range(0, len(due), PLAYERS_PER_CHUNK):
            async with anyio.create_task_group() as tasks:
                for one in due[start : start + PLAYERS_PER_CHUNK]:
                    tasks.start_soon(partial(self._carry_out, one, plan.window_id, now))
        plan.is_applied = True

    async def _carry_out(self, one: Correction, window_id: str, now: int) -> None:
        """Take first: what is given afterwards is not there to be taken."""
        try:
            async with self._purses.opened(one.player):
                if one.take:
                    ids = [row.id for row in one.take]
                    withdrawn = await self._store.withdraw(
                        ids, key=f"correct:{window_id}", reason=REASON, source=window_id, now=now
                    )
                    one.taken = unclaimed(one.take) + summed(change for it in withdrawn for change in it.taken)
                    one.owed = summed(change for it in withdrawn for change in it.owed)
                for reward in _with_crates(one.give):
                    await self._store.create_grants([new_grant(pay, self._terms()) for pay in reward])
        finally:
            self._forget(one.player)


def too_early(stage: str) -> Refusal:
    """Why a window that is not final is not corrected."""
    if stage == "cancelled":
        return Refusal("conflict", "the window was cancelled: nothing was paid at its end", {"state": stage})
    message = f"the window is {stage}: until it is final, ban the player or void their attempts"
    return Refusal("conflict", message, {"state": stage})


def _by_rank(one: Correction) -> tuple[bool, int]:
    rank = one.rank_before if one.rank_after is None else one.rank_after
    return (one.rank_after is not None, rank if rank is not None else 0)


def _with_crates(pays: Sequence[Pay]) -> list[list[Pay]]:
    """What is created together: each reward with its crates. A crate whose reward is there already comes alone."""
    given = {pay.grant_id for pay in pays}
    rewards = {pay.grant_id: [pay] for pay in pays if pay.parent not in given}
    for pay in pays:
        if pay.parent in rewards:
            rewards[pay.parent].append(pay)
    return list(rewards.values())


def _audited(plan: Plan, who: str, now: int) -> AuditEntry:
    given, taken, owed = map(entries_of, plan.sums)
    after = {"without": sorted(plan.left_out), "granted": given, "taken": taken, "owed": owed}
    before = {"without": sorted(plan.left_out_before)}
    return AuditEntry(now, who, "windows.correct", plan.window_id, pack(before), pack(after))
