"""The end of one contest, step by step: its attempts end, its winners are counted, and once the window says so what is
due is written (R-27, R-30, R-42, R-43).

However many players there are, a step is a few milliseconds, so that other actors keep answering; and every step is an
input, so a crash at any moment leaves nothing out and repeats nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from kraty_actors.domain import attempt as states
from kraty_actors.domain.arena import Arena
from kraty_actors.domain.attempt import Attempt, AttemptView
from kraty_actors.domain.contest_messages import Closed, Paid
from kraty_actors.domain.outcome import Effect, Message, MovedLeague, Outcome, Pay, Plain
from kraty_actors.domain.payouts import granted, pool_pays, tier_pays, totals
from kraty_actors.domain.prizes import wins

ATTEMPTS_PER_STEP = 100
"""Attempts ended, or looked at for winners, in one input."""

PLAYERS_PER_STEP = 50
"""Players paid, or moved to another league, in one input."""

Stage = Literal["ending", "judging", "waiting", "paying", "over"]


class Conclusion:
    """Of a contest that ended at `at`. `stage`: `ending` its attempts, `judging` who has won, `waiting` for the
    window's word, `paying`, then `over`. Of a cancelled one nobody wins, moves or is paid (R-26)."""

    def __init__(self, arena: Arena, at: int, *, is_cancelled: bool = False) -> None:
        self.stage: Stage = "ending"
        self._arena = arena
        self._at = at
        self._is_cancelled = is_cancelled
        self._next = 0
        self._winners: list[int] = []
        self._counted = 0
        self._is_told = False
        self._share = 0
        self._players = 0
        self._grants = 0
        self._paid: Counter[str] = Counter()
        self._moves: list[tuple[int, str]] | None = None

    @property
    def wake_at(self) -> int | None:
        return None if self.stage in ("waiting", "over") else self._at

    @property
    def is_over(self) -> bool:
        """Whether everything due is written."""
        return self.stage == "over"

    @property
    def winners(self) -> Sequence[int]:
        """Whoever has won a share of a pool, as far as that is known."""
        return self._winners

    @property
    def is_settling(self) -> bool:
        """Whether the window has said what is paid: from then on the standings are final."""
        return self._is_told

    @property
    def _has_pool(self) -> bool:
        return self._arena.rules.winner_predicate is not None and not self._is_cancelled

    def step(self, now: int) -> Outcome:
        """Go on."""
        outcome = Outcome(traced=True)
        if self.stage == "paying":
            self._pay_more(outcome, now)
            return outcome
        left = ATTEMPTS_PER_STEP
        while left > 0 and self.stage in ("ending", "judging"):
            step = self._arena.attempts.some(self._next, left)
            if self.stage == "ending":
                self._end_some(outcome, step)
            else:
                self._winners += [one.player for one in step if self._has_won(one)]
            self._next += len(step)
            left -= len(step)
            self._turn_over(outcome)
        return outcome

    def settle(self, share: int, now: int, *, is_cancelled: bool) -> Outcome:
        """The window's word: pay, `share` to each winner of a pool, and be over."""
        self._share, self._is_told = share, True
        self._is_cancelled = self._is_cancelled or is_cancelled
        if self.stage != "judging" or self._is_cancelled:
            self.stage, self._next = "paying", 0
        return self.step(now)

    def reconsider(self) -> None:
        """Somebody was taken out, or came back, before the window said what is paid: who wins is judged anew (R-51)."""
        if self.stage in ("judging", "waiting") and self._has_pool:
            self.stage, self._next, self._winners = "judging", 0, []

    # -- what ends

    def _turn_over(self, outcome: Outcome) -> None:
        """At the last attempt the next stage begins."""
        if self._next < len(self._arena.attempts):
            return
        self._next = 0
        if self.stage == "ending" and self._has_pool:
            self.stage = "judging"
        elif self._is_told:
            self.stage = "paying"
            self._winners = self._winners[: self._counted]  # the pool was shared out among so many
        else:
            self.stage = "waiting"
            self._counted = len(self._winners)
            self._arena.attempts.forget_ends()
            self._say(outcome, Closed(self._arena.id, self._counted))

    def _end_some(self, outcome: Outcome, attempts: Iterable[Attempt]) -> None:
        running = [(one, self.ends_at(one)) for one in attempts if one.status == states.IN_PROGRESS]
        ended = self._arena.ended_together(running, status=states.EXPIRED if self._is_cancelled else None)
        outcome.messages = [*outcome.messages, *ended.messages]
        outcome.effects = [*outcome.effects, *ended.effects]
        outcome.notices = [*outcome.notices, *ended.notices]

    def ends_at(self, attempt: Attempt) -> int:
        """When an attempt that runs has ended by this."""
        return self._at if attempt.ends_at is None else min(self._at, attempt.ends_at)

    def status_of(self, attempt: Attempt) -> str:
        """What an attempt that runs comes to by this."""
        return states.EXPIRED if self._is_cancelled else self._arena.final_status(attempt)

    def _has_won(self, attempt: Attempt) -> bool:
        """Of each player the newest attempt stands for all of theirs; a banned one never wins (R-43)."""
        arena, player = self._arena, attempt.player
        if arena.attempts.newest(player) != attempt.serial or player in arena.board.hidden:
            return False
        return any(self._satisfies(one) for one in arena.attempts.of(player) if not one.is_void)

    def _satisfies(self, attempt: Attempt) -> bool:
        rules = self._arena.rules
        predicate = rules.winner_predicate
        if predicate is None:
            return False
        capped = rules.scoring.by_key(rules.scoring.capped(attempt.raw))
        rank = self._arena.board.standings.rank_of_player(attempt.player) if rules.winners_have_ranks else None
        return wins(predicate, capped, attempt.counts_as_completed, rank)

    # -- what is due

    def _pay_more(self, outcome: Outcome, now: int) -> None:
        """First everybody who is paid, then everybody who moves."""
        due, moves = (0, []) if self._is_cancelled else (self._due(), self._league_moves())
        step = range(self._next, min(self._next + PLAYERS_PER_STEP, due))
        pays = self._pays(step, now)
        self._count(pays)
        effects: list[Effect] = [*pays]
        self._next += len(step)
        room = PLAYERS_PER_STEP - len(step)
        if room > 0:
            start = self._next - due
            effects += [MovedLeague(player, self._event_key, to) for player, to in moves[start : start + room]]
            self._next = min(self._next + room, due + len(moves))
        outcome.effects = effects
        outcome.notices = granted(pays)
        if self._next >= due + len(moves):
            self.stage = "over"
            self._say(outcome, Paid(self._arena.id, self._players, self._grants, dict(self._paid)))
            outcome.finished = True

    @property
    def _event_key(self) -> str:
        return self._arena.rules.event.key

    def _due(self) -> int:
        """How many places are looked at for what they are paid: winners, or ranks."""
        if self._share:
            return len(self._winners)
        return self._arena.rules.paid_ranks(len(self._arena.board.standings))

    def _pays(self, places: range, now: int) -> list[Pay]:
        arena = self._arena
        window, rules = arena.window_id, arena.rules
        if self._share:
            slot = arena.id if rules.pays_each_board else ""
            winners = [self._winners[place] for place in places]
            return [pay for who in winners for pay in pool_pays(rules, window, self._share, who, slot, now)]
        rows = arena.board.standings.page(places.start, len(places)) if places else []
        players = [(rank, row.participant) for rank, row in enumerate(rows, places.start + 1) if not row.is_bot]
        paid = [tier_pays(rules, window, rank, who, now) for rank, who in players if self._has_written(who)]
        return [pay for pays in paid for pay in pays]

    def _has_written(self, player: int) -> bool:
        """Who only started holds their rank and gets nothing (R-42)."""
        return any(attempt.writes and not attempt.is_void for attempt in self._arena.attempts.of(player))

    def _count(self, pays: Sequence[Pay]) -> None:
        self._players += len({pay.player for pay in pays})
        self._grants += len(pays)
        self._paid.update(totals(pays))

    def _league_moves(self) -> list[tuple[int, str]]:
        """One league up, or down; who is in both goes up, and at the ends nobody moves on; bots hold their ranks
        (R-30)."""
        if self._moves is None:
            self._moves = list(self._moves_of(self._arena.opening.league))
        return self._moves

    def _moves_of(self, league: str | None) -> Iterable[tuple[int, str]]:
        rules, standings = self._arena.rules, self._arena.board.standings
        leagues = rules.event.leaderboard.leagues
        if league is None or league not in leagues:
            return []
        stands = leagues.index(league)
        up, down = rules.moving_places
        promoted = [row.participant for row in standings.page(0, up) if not row.is_bot]
        tail = standings.page(max(up, len(standings) - down), down) if down else []
        relegated = [row.participant for row in tail if not row.is_bot]
        higher, lower = min(stands + 1, len(leagues) - 1), max(stands - 1, 0)
        steps = dict.fromkeys(relegated, lower) | dict.fromkeys(promoted, higher)
        return [(player, leagues[to]) for player, to in steps.items() if to != stands]

    def _say(self, outcome: Outcome, command: Closed | Paid) -> None:
        outcome.messages = [*outcome.messages, Message(self._arena.window_id, command)]

    # -- checkpoint

    def dump(self) -> Mapping[str, Plain]:
        """All but the winners."""
        return {
            "stage": self.stage,
            "at": self._at,
            "isCancelled": self._is_cancelled,
            "next": self._next,
            "counted": self._counted,
            "isTold": self._is_told,
            "share": self._share,
            "players": self._players,
            "grants": self._grants,
            "paid": dict(self._paid),
        }

    @classmethod
    def restored(cls, arena: Arena, plain: Mapping[str, Plain], winners: list[int]) -> Conclusion:
        """What `dump` gave, and the winners, on the arena as it was then."""
        conclusion = cls(arena, plain["at"], is_cancelled=plain["isCancelled"])
        conclusion.stage = plain["stage"]
        conclusion._next, conclusion._counted = plain["next"], plain["counted"]
        conclusion._is_told = plain["isTold"]
        conclusion._share = plain["share"]
        conclusion._players, conclusion._grants = plain["players"], plain["grants"]
        conclusion._paid = Counter(plain["paid"])
        conclusion._winners = winners
        return conclusion


def view_by(arena: Arena, conclusion: Conclusion | None, attempt: Attempt, now: int) -> AttemptView:
    """The attempt as it is by now; of one whose turn to end comes only in a later step, as it will be then."""
    view = arena.view_by(attempt, now)
    if attempt.status == states.IN_PROGRESS and conclusion is not None:
        return view.ended(conclusion.status_of(attempt), conclusion.ends_at(attempt))
    return view
