"""A model of money: what was asked for and answered, and what the store must have of it at any moment.

Every row of the ledger has a cause that the model knows, and every cause has its rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import partial

from money_game import ADJUSTMENTS, COSTS, PAYS_EACH_ATTEMPT, Delta, credits_of

from kraty_actors.actors.engine import Engine
from kraty_actors.actors.loop import answer_to
from kraty_actors.actors.records import unpack
from kraty_actors.domain.attempt import AttemptView
from kraty_actors.domain.contest_messages import ANYONE
from kraty_actors.domain.ids import window_of
from kraty_persistence import GrantRow, MemoryStore


@dataclass
class Run:
    """One attempt, and its writes as far as they are known to count; `best` is the most kills without a death."""

    attempt_id: str
    player: int
    event: str
    kills: int = 0
    best: int = 0
    seq: int = 0
    is_writing: bool = False

    @property
    def window(self) -> str:
        return window_of(self.attempt_id)

    def count(self, seq: int, kills: int) -> None:
        """A write counts; no kills are a death, which sets them back (R-9)."""
        self.seq, self.kills = seq, self.kills + kills if kills else 0
        self.best = max(self.best, self.kills)


@dataclass
class Books:
    """What players, servers and operators asked for, each a tuple that begins with what it is. `sure` holds what they
    were told has happened, `told` the grants that an answer showed."""

    is_auto: bool
    runs: dict[str, Run] = field(default_factory=dict)
    asked: set[tuple[str, ...]] = field(default_factory=set)
    sure: set[tuple[str, ...]] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    ever_banned: set[int] = field(default_factory=set)
    seen: dict[str, bytes] = field(default_factory=dict)

    def run(self, attempt_id: str, player: int, event: str) -> Run:
        return self.runs.setdefault(attempt_id, Run(attempt_id, player, event))

    def runs_in(self, window: str, player: int) -> list[Run]:
        """The player's attempts there, in the order in which they began."""
        found = [run for run in self.runs.values() if (run.window, run.player) == (window, player)]
        return sorted(found, key=lambda run: int(run.attempt_id.rpartition(".")[2]))

    def was_asked(self, *what: object) -> bool:
        return tuple(map(str, what)) in self.asked


@dataclass
class Audit:
    """What the store has at one moment; `entries` are the ledger's deltas by player and key."""

    books: Books
    grants: dict[str, GrantRow]
    entries: dict[tuple[int, str], list[Delta]]

    @classmethod
    async def of(cls, books: Books, store: MemoryStore) -> Audit:
        """Read the store: no balance is negative, and each is what its ledger adds up to (R-40)."""
        assert await store.ledger_faults() == []
        entries: defaultdict[tuple[int, str], list[Delta]] = defaultdict(list)
        found = await store.books(0, 1_000)
        assert found is not None
        for row in found.ledger:
            assert row.balance >= 0, row
            assert row.part == len(entries[row.player, row.key]), f"entered twice: {row}"
            entries[row.player, row.key].append((row.kind, row.resource, row.delta))
        for attempt in found.attempts:
            books.run(attempt.attempt_id, attempt.player, attempt.event_key)
        return cls(books, {grant.id: grant for grant in found.grants}, dict(entries))

    def check_causes(self) -> None:
        """Nothing is created or destroyed but for a reason, and grants stay what they were rolled as (R-41)."""
        for (player, key), deltas in self.entries.items():
            kind, _, name = key.partition(":")
            is_caused = {
                "adjust": self._adjusted,
                "grant": self._claimed,
                "entry": self._charged,
                "refund": self._refunded,
                "void": self._withdrawn,
            }[kind]
            assert is_caused(player, name, deltas), f"{player} has {key} {deltas} for no reason"
        for grant in self.grants.values():
            assert self.books.seen.setdefault(grant.id, grant.contents) == grant.contents, grant

    def _adjusted(self, player: int, name: str, deltas: list[Delta]) -> bool:
        return self.books.was_asked("adjust", player, name) and deltas == [ADJUSTMENTS[int(name)]]

    def _claimed(self, player: int, name: str, deltas: list[Delta]) -> bool:
        """Of a crate, what came out of it is credited as it is opened."""
        grant = contents = self.grants[name]
        is_asked = self.books.is_auto or self.books.was_asked("claim", name)
        if grant.kind == "crate":
            is_asked = self.books.was_asked("open", name)
            contents = next(one for one in self.grants.values() if one.parent == name and one.kind == "reward")
        is_theirs = grant.player == player and grant.claimed_at is not None
        return is_asked and is_theirs and deltas == credits_of(unpack(contents.contents))

    def _charged(self, player: int, name: str, deltas: list[Delta]) -> bool:
        """Whether there was an attempt to pay for is looked at when all is settled."""
        runs = self.books.runs_in(name.partition(":")[0], player)
        return all(deltas == [*COSTS[run.event]] for run in runs)

    def _refunded(self, player: int, name: str, deltas: list[Delta]) -> bool:
        charge = [(kind, key, -n) for kind, key, n in self.entries[player, name]]
        return self.books.was_asked("cancel", name.split(":")[1]) and deltas == charge

    def _withdrawn(self, player: int, name: str, deltas: list[Delta]) -> bool:
        credited = {(kind, key): n for kind, key, n in self.entries[player, f"grant:{name}"]}
        is_owed = all(0 < -n <= credited[kind, key] for kind, key, n in deltas)
        return is_owed and self.is_void(self.grants[name]) and self.grants[name].withdrawn_at is not None

    def is_void(self, grant: GrantRow) -> bool:
        """Whether it came of an attempt that somebody wanted to be void."""
        while grant.parent is not None:
            grant = self.grants[grant.parent]
        return self.books.was_asked("void", grant.source_ref)

    def check_acknowledged(self) -> None:
        """What somebody was told of is there (R-56), and credited if and only if it is claimed (R-45)."""
        for kind, *names in self.books.sure:
            if kind == "adjust":
                assert (int(names[0]), f"adjust:{names[1]}") in self.entries, names
            elif kind in ("claim", "open"):
                assert self.grants[names[0]].claimed_at is not None, names
        assert self.books.told <= self.grants.keys()
        for grant in self.grants.values():
            is_credited = (grant.player, f"grant:{grant.id}") in self.entries
            assert is_credited == (grant.claimed_at is not None and grant.source_kind != "crate_open"), grant

    async def check_entries(self, engine: Engine) -> None:
        """R-20, R-21: every debit has its attempt, every paid attempt its debit; nothing may be under way."""
        found: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
        for player, key in sorted(self.entries):
            if key.startswith("entry:"):
                found[player, key.split(":")[1]].append(key)
        starts = Counter((run.player, run.window, run.event) for run in self.books.runs.values() if COSTS[run.event])
        expected = {}
        for (player, window, event), count in starts.items():
            more = [f"entry:{window}:{n}" for n in range(2, count + 1)] if event in PAYS_EACH_ATTEMPT else []
            expected[player, window] = sorted([f"entry:{window}", *more])
        assert found == expected
        for run in self.books.runs.values():
            assert isinstance(await answer_to(partial(engine.attempt, ANYONE, run.attempt_id)), AttemptView), run
