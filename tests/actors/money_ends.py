"""What must have been paid once every window is over: worked out from the writes that counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from money_books import Audit, Run
from money_game import BUNDLES, GIFTS, MILESTONES, POOL, TARGET, WITH_LOOT, WITH_MILESTONES, credits_of

from kraty_actors.actors.engine import Engine
from kraty_actors.actors.records import unpack
from kraty_actors.domain.board_view import BoardView, GetBoard
from kraty_actors.domain.ids import parent
from kraty_actors.domain.outcome import Refusal
from kraty_actors.domain.window_messages import Report
from kraty_persistence import GrantRow

Paid = Counter[tuple[Any, ...]]
"""How often whom was paid what for what: player, source, reward or crate, contents."""


class Ends:
    """An audit after everything has ended and everybody was answered."""

    def __init__(self, audit: Audit, engine: Engine) -> None:
        self._audit = audit
        self._books = audit.books
        self._engine = engine
        self._due: Paid = Counter()

    async def check(self) -> None:
        """Each grant exactly once, nobody is missed, and what is over is given back or taken back."""
        for run in self._books.runs.values():
            self._earned(run)
        for window in sorted({run.window for run in self._books.runs.values()}):
            await self._window(window)
        grants = self._audit.grants.values()
        assert Counter(map(_paid, (one for one in grants if one.source_kind.startswith("event_")))) == self._due
        self._check_gifts()
        for grant in grants:
            if grant.kind == "crate":
                self._check_crate(grant)
            elif self._books.is_auto:
                assert grant.claimed_at is not None, grant
            if self._audit.is_void(grant):
                assert grant.withdrawn_at is not None, f"earned by what is void: {grant}"

    def _expect(self, player: int, source: str, ref: str, entries: Sequence[Any]) -> None:
        self._due[player, source, ref, "reward", tuple(credits_of(entries))] += 1
        crates = sum(entry["type"] == "crate" for entry in entries)
        if crates:
            self._due[player, source, ref, "crate", ()] += crates

    def _earned(self, run: Run) -> None:
        """R-42, R-44: what an attempt is paid at once; the second milestone counts once a window."""
        one, two = MILESTONES
        if run.event in WITH_MILESTONES:
            if run.best >= one["threshold"]:
                self._expect(run.player, "event_milestone", run.attempt_id, one["entries"])
            if run in self._paid_once(run.window, run.player):
                self._expect(run.player, "event_milestone", run.attempt_id, two["entries"])
        if run.event in WITH_LOOT and run.best >= TARGET:
            self._expect(run.player, "event_completion", run.attempt_id, BUNDLES["loot"])

    def _paid_once(self, window: str, player: int) -> list[Run]:
        """The attempts that were paid the second milestone: the first that came to it, and behind one that became void
        perhaps a later one."""
        _, two = MILESTONES
        reached = [run for run in self._books.runs_in(window, player) if run.best >= two["threshold"]]
        item = tuple(credits_of(two["entries"]))
        grants = {_paid(grant) for grant in self._audit.grants.values()}
        paid = [run for run in reached if (player, "event_milestone", run.attempt_id, "reward", item) in grants]
        assert paid[:1] == reached[:1]
        assert all(self._books.was_asked("void", run.attempt_id) for run in paid[:-1])
        return paid

    async def _window(self, window: str) -> None:
        runs = [run for run in self._books.runs.values() if run.window == window]
        report = await self._engine.steering.report(window)
        assert isinstance(report, Report), (window, report)
        charges = [(player, key) for player, key in self._audit.entries if key.split(":")[:2] == ["entry", window]]
        refunds = [charge for charge in charges if (charge[0], f"refund:{charge[1]}") in self._audit.entries]
        steered = await self._engine.steering.window(window)
        assert not isinstance(steered, Refusal)
        is_cancelled = steered.window.state == "cancelled"
        assert refunds == (charges if is_cancelled else []), f"of {window}, {steered.window.state}"
        counting = [run for run in runs if run.seq and not self._books.was_asked("void", run.attempt_id)]
        if is_cancelled:
            assert report.winners == 0
        elif runs[0].event == "duel":
            self._pool(window, report, {run.player for run in counting if run.best >= TARGET})
        elif runs[0].event == "attack":
            await self._ranks(window, parent(runs[0].attempt_id), {run.player for run in counting})

    def _pool(self, window: str, report: Report, completed: set[int]) -> None:
        """R-43: whoever has won has the same share; only who was banned may be missing."""
        grants = [grant for grant in self._audit.grants.values() if grant.source_ref == window]
        paid = {grant.player for grant in grants}
        assert completed - self._books.ever_banned <= paid <= completed
        assert len(grants) == len(paid) == report.winners
        for player in paid:
            share = {"type": "currency", "currencyKey": "cash", "amount": POOL // len(paid)}
            self._expect(player, "event_window", window, [share])

    async def _ranks(self, window: str, board: str, wrote: set[int]) -> None:
        """R-42: by the final standings; who only started holds a rank and gets nothing."""
        view = await self._engine.boards.read(board, GetBoard(limit=50))
        assert isinstance(view, BoardView)
        assert wrote - self._books.ever_banned <= {one.participant for one in view.standings}
        for standing in view.standings:
            if standing.participant in wrote:
                bundle = BUNDLES["gold" if standing.rank == 1 else "silver"]
                self._expect(standing.participant, "event_window", window, bundle)

    def _check_gifts(self) -> None:
        """R-15: each gift once, however often it was asked for."""
        gifts: Paid = Counter()
        for kind, *names in self._books.asked:
            if kind == "gift":
                gifts[names[0], tuple(credits_of(GIFTS[int(names[1])]))] += 1
        found = (one for one in self._audit.grants.values() if one.source_kind == "api" and one.kind == "reward")
        assert Counter((str(one.player), tuple(credits_of(unpack(one.contents)))) for one in found) == gifts

    def _check_crate(self, crate: GrantRow) -> None:
        """R-41: opened at most once, and then what is in the bundle came out of it."""
        opened = [one for one in self._audit.grants.values() if one.parent == crate.id]
        assert len(opened) == (crate.claimed_at is not None), crate
        for one in opened:
            (_, _, amount), arrow = credits_of(unpack(one.contents))
            assert 10 <= amount <= 20
            assert arrow == ("item", "arrow", 1)


def _paid(grant: GrantRow) -> tuple[Any, ...]:
    contents = tuple(credits_of(unpack(grant.contents)))
    return grant.player, grant.source_kind, grant.source_ref, grant.kind, contents
