"""What a window would have paid by other rules: the same players did the same at the same times (R-57).

Who was let in, and who sat where, stays as it was; so does what was refused, for that left no trace. Everything else is
done anew by the code that plays windows: scores, resets, caps, validators, completions, bots, ranks, pools and grants.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial

import anyio.to_thread

from kraty_actors.actors.derivation import Derivation, Derived, Watcher
from kraty_actors.actors.playback import Input, Playback, decoded, history_pages
from kraty_actors.actors.takings import Amounts, amounts_of
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import Amend, Open, Seat, Settle, Write
from kraty_actors.domain.ids import last_number
from kraty_actors.domain.outcome import Command, Effect, Outcome, Pay, Refusal, Tick
from kraty_actors.domain.periods import BoardRules
from kraty_actors.domain.pools import Pools
from kraty_actors.domain.rules import Rules
from kraty_persistence import Store, StoredRecord


@dataclass(slots=True)
class Changed:
    """A player who would have been paid otherwise."""

    player: int
    rank: int | None
    rank_otherwise: int | None
    paid: Amounts
    paid_otherwise: Amounts


@dataclass(slots=True)
class Comparison:
    """What it would have come to, in all and for whom it makes a difference.

    `moved` are players whose rank differs; `refused` counts writes that the other rules refuse, by why. `charged` is
    what the starts have cost.
    """

    changed: list[Changed] = field(default_factory=list)
    players: int = 0
    moved: int = 0
    paid: Amounts = field(default_factory=Counter)
    paid_otherwise: Amounts = field(default_factory=Counter)
    charged: Amounts = field(default_factory=Counter)
    charged_otherwise: Amounts = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def difference(self) -> dict[tuple[str, str], int]:
        """How much more would have been paid, by kind and key."""
        keys = self.paid.keys() | self.paid_otherwise.keys()
        return {key: self.paid_otherwise[key] - self.paid[key] for key in keys}


class OnlyRules:
    """A rulebook in which every revision is the same, and no shared board is known."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def rules(self, event_key: str, revision: int) -> Rules:
        return self._rules

    def board(self, key: str, revision: int) -> BoardRules:
        raise LookupError(f"{key}: other rules contribute to no shared board")


class Payments(Watcher):
    """Takes down what was paid to whom."""

    def __init__(self) -> None:
        self.paid: dict[int, Amounts] = {}

    def seen(self, playback: Playback, each: Input, outcome: Outcome) -> None:
        _credit(self.paid, outcome.effects)

    def taken(self) -> dict[int, Amounts]:
        """What came together since the last call."""
        paid, self.paid = self.paid, {}
        return paid


@dataclass(slots=True)
class _Board:
    """One contest by the other rules, up to where it waits for the window's word, which came at `settled_at`."""

    contest: Contest
    settled_at: int = 0
    has_settled: bool = False
    starts: Counter[int] = field(default_factory=Counter)
    paid: dict[int, Amounts] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)

    def play(self, records: Sequence[StoredRecord]) -> None:
        for record in records:
            if self.has_settled:
                return
            now, inputs = decoded(self.contest.id, record)
            self._tick(now)
            for each in inputs:
                if isinstance(each.command, Settle):
                    self.settled_at, self.has_settled = now, True
                    self._judge(now)
                    return
                self._apply(each.command, now)

    def _apply(self, command: Command, now: int) -> None:
        match command:
            case Tick() | Amend():
                return  # its time comes by other rules at another time; and these rules are never amended
            case Open():
                command = replace(command, boards=[])
            case Seat():
                self.starts[command.player] += 1
            case Write():
                command.findings = None
        outcome = self.contest.apply(command, now)
        _credit(self.paid, outcome.effects)
        if isinstance(command, Write) and isinstance(outcome.reply, Refusal):
            self.refused[outcome.reply.code] += 1

    def _tick(self, now: int) -> None:
        if self.contest.wake_at is not None and self.contest.wake_at <= now:
            _credit(self.paid, self.contest.apply(Tick(), now).effects)

    def _judge(self, now: int) -> None:
        while self.contest.wake_at is not None:
            _credit(self.paid, self.contest.apply(Tick(), now).effects)

    @property
    def winners(self) -> int:
        conclusion = self.contest.conclusion
        return 0 if conclusion is None else len(conclusion.winners)

    def settle(self, share: int) -> None:
        outcome = self.contest.apply(Settle(share), self.settled_at)
        while True:
            _credit(self.paid, outcome.effects)
            if outcome.finished:
                return
            outcome = self.contest.apply(Tick(), self.settled_at)


class Otherwise:
    """Compares one window that is final."""

    def __init__(self, store: Store, payments: Payments, derivation: Derivation, rules: Rules) -> None:
        """`derivation` is one that the payments watch, with the window played but not its boards."""
        self._store = store
        self._payments = payments
        self._derivation = derivation
        self._rules = rules

    async def compare(self, derived: Derived) -> Comparison:
        """Play every board by both rules.

        Raises:
            AlteredJournal: A journal cannot be played.
        """
        made = Comparison()
        pools, known = await self._pools(derived)
        starts: Counter[int] = Counter()
        async for contest in self._derivation.boards(derived):
            board = known or await self._board(contest.id)
            if board.has_settled:
                await anyio.to_thread.run_sync(board.settle, pools.share(last_number(contest.id) or 0))
            await anyio.to_thread.run_sync(partial(self._note, made, contest, board))
            starts += board.starts
        for charges in derived.charges.values():
            for charge in charges:
                made.charged.update({(cost.kind, cost.key): cost.amount for cost in charge.costs})
        self._charge(made, starts)
        return made

    async def _pools(self, derived: Derived) -> tuple[Pools, _Board | None]:
        """Who wins is known once all boards have closed. Where there is but one it need not be played again."""
        pools = Pools(self._rules)
        board: _Board | None = None
        if self._rules.winner_predicate is not None:
            for name in derived.contests:
                board = await self._board(name)
                pools.winners[last_number(name) or 0] = board.winners
        return pools, board if len(derived.contests) == 1 else None

    async def _board(self, name: str) -> _Board:
        board = _Board(Contest(name, OnlyRules(self._rules)))
        async with aclosing(history_pages(self._store, name)) as pages:
            async for page in pages:
                await anyio.to_thread.run_sync(board.play, page)
        return board

    def _note(self, made: Comparison, contest: Contest, board: _Board) -> None:
        paid = self._payments.taken()
        made.refused += board.refused
        made.players += len(board.starts)
        ranks, others = contest.arena.board.standings, board.contest.arena.board.standings
        for player in board.starts:
            was, would = paid.get(player, Counter()), board.paid.get(player, Counter())
            rank, rank_otherwise = ranks.rank_of_player(player), others.rank_of_player(player)
            made.moved += rank != rank_otherwise
            made.paid += was
            made.paid_otherwise += would
            if was != would:
                made.changed.append(Changed(player, rank, rank_otherwise, was, would))

    def _charge(self, made: Comparison, starts: Counter[int]) -> None:
        for cost in self._rules.costs:
            times = starts.total() if self._rules.charges_each_attempt else len(starts)
            made.charged_otherwise[cost.kind, cost.key] += cost.amount * times


def _credit(paid: dict[int, Amounts], effects: Sequence[Effect]) -> None:
    for effect in effects:
        if isinstance(effect, Pay):
            paid.setdefault(effect.player, Counter()).update(amounts_of([effect.entries]))
