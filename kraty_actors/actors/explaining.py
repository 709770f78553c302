"""Why a player stands where they stand (R-57): their window played again up to a moment, and everything noted that
concerns them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

import anyio
import anyio.to_thread

from kraty_actors.actors.chain import Sealer
from kraty_actors.actors.derivation import Derivation, Derived, Watcher
from kraty_actors.actors.explained import Deed, Explanation, Moment, Sample, Timeline, decided, place_of
from kraty_actors.actors.playback import Input, Playback
from kraty_actors.domain.arena import Arena
from kraty_actors.domain.attempt import Attempt, AttemptView, Written
from kraty_actors.domain.catalogue import Library
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import ANYONE, GetAttempt, Seat, SetBan, Void, Write
from kraty_actors.domain.ids import attempt_id, contest_id, last_number
from kraty_actors.domain.outcome import Charged, Command, Outcome, Pay, Refunded, Refusal
from kraty_persistence import PlayerRow, Store

AROUND = 5
"""Rows that are shown on each side of the player's."""

SAMPLES = 300
"""Points of the curve between the window's start and end, beside those of the player's own writes."""

CURVE_MAX = 1_000
"""Points of the curve that are told; of more some are left out."""

MOMENTS = 200
"""What is told of what happened to the player: the last ones."""

DAY_MS = 86_400_000


class Explaining:
    """Explains one player at a time, in a thread. A `library` that has all rules already saves reading them; with a
    `sealer` journals are checked on the way."""

    def __init__(
        self,
        store: Store,
        *,
        now_ms: Callable[[], int],
        library: Library | None = None,
        sealer: Callable[[], Sealer | None] = lambda: None,
    ) -> None:
        self._store = store
        self._now_ms = now_ms
        self._library = library
        self._sealer = sealer
        self._one_at_a_time = anyio.Lock()

    async def explain(
        self, window_id: str, player_id: str, at: int | None = None, *, limit: int = MOMENTS
    ) -> Explanation | Refusal:
        """The player at an instant (ms), by default now.

        Raises:
            AlteredJournal: A journal is not whole.
        """
        player = await self._store.find_player(player_id)
        async with self._one_at_a_time:
            noting = Noting(0 if player is None else player.number, limit)
            derivation = Derivation(self._store, sealer=self._sealer(), watcher=noting, library=self._library, until=at)
            if self._library is None:
                await derivation.calendar()
            derived = await derivation.window(window_id)
            if derived is None:
                return await self._not_open(window_id, at)
            if player is None:
                return Refusal("not_found", f"no player '{player_id}'", {"path": "playerId"})
            return await self._explained(derivation, derived, noting, player, at)

    async def _not_open(self, window_id: str, at: int | None) -> Refusal:
        if at is not None and await self._store.history_page(window_id, limit=1):
            return Refusal("not_found", "the window had not opened then", {"path": "at"})
        return Refusal("not_found", f"no window '{window_id}'", {"path": "windowId"})

    async def _explained(
        self, derivation: Derivation, derived: Derived, noting: Noting, player: PlayerRow, at: int | None
    ) -> Explanation | Refusal:
        floor = derived.window.floor
        member = floor.members.get(player.number)
        if member is None:
            message = f"'{player.player_id}' had no part in the window by then"
            return Refusal("not_found", message, {"path": "playerId"})
        now = self._now_ms() if at is None else at
        made = Explanation(derived.window.id, floor.rules.event.key, derived.window.stage, player.number, now)
        name = contest_id(derived.window.id, member.contest)
        if name in derived.contests:
            latest = max(now, derived.ended_at)
            noting.watch(floor.opening.starts_at, min(latest, floor.opening.ends_at or latest))
            contest = await derivation.board(derived, name)
            until = max(now, derived.ended_at)  # a clock that was set back is no reason to leave anything out
            made.at = derived.ended_at if derived.is_over else until
            await anyio.to_thread.run_sync(noting.show, contest, made, until)
        moments = sorted(noting.moments, key=lambda one: one.at)
        made.moments, made.moment_count = moments[-noting.limit :], len(moments)
        return made


class Noting(Watcher):
    """Notes what concerns one player while their window and board are played."""

    def __init__(self, player: int, limit: int) -> None:
        self.limit = limit
        self.moments: list[Moment] = []
        self._player = player
        self._timeline = Timeline()
        self._curve: list[Sample] = []
        self._samples: list[int] = []
        self._raw: list[int | float] = []

    def watch(self, starts_at: int, ends_at: int) -> None:
        """From when to when the curve is drawn."""
        step = max(1, (ends_at - starts_at) // SAMPLES)
        self._samples = list(range(starts_at, ends_at, step))[: SAMPLES + 1]

    async def begin(self, playback: Playback) -> None:
        if isinstance(playback.state, Contest):
            contest = playback.state

            def before(command: Command, now: int) -> None:
                if isinstance(command, Write):
                    self._raw = contest.arena.attempts.some(command.serial, 1)[0].raw

            playback.before = before

    def seen(self, playback: Playback, each: Input, outcome: Outcome) -> None:
        if isinstance(playback.state, Contest):
            self._note(playback.state, each.command, outcome, playback.now)
        for effect in outcome.effects:
            if isinstance(effect, Charged | Refunded) and effect.player == self._player:
                costs = effect.costs if isinstance(effect, Charged) else ()
                self._add(Moment(effect.at, "charged" if costs else "refunded", costs=costs))

    def recorded(self, playback: Playback) -> None:
        if not isinstance(playback.state, Contest):
            return
        arena = playback.state.arena
        self._timeline.add(arena.inputs, arena.ticks, playback.now)
        due = bisect_right(self._samples, playback.now)
        if due:
            del self._samples[:due]
            self._sample(arena, playback.now)

    # -- what happened

    def _note(self, contest: Contest, command: Command, outcome: Outcome, now: int) -> None:
        arena = contest.arena
        match command:
            case Write():
                [attempt] = arena.attempts.some(command.serial, 1)
                if attempt.player == self._player:
                    self._wrote(arena, attempt, command, outcome, now)
                    return
            case Seat() if command.player == self._player:
                self._add(self._standing(arena, now, "started", next(arena.attempts.of(self._player), None)))
                self._sample(arena, now)
            case SetBan() if command.player == self._player:
                self._add(Moment(now, "banned" if command.is_banned else "unbanned"))
            case Void():
                voided = arena.attempts.own(command.serial, self._player)
                if voided is not None:
                    self._add(self._standing(arena, now, "voided", voided))
                    self._sample(arena, now)
                return
        self._ended_or_paid(arena, outcome, now)

    def _ended_or_paid(self, arena: Arena, outcome: Outcome, now: int) -> None:
        pays = [one for one in outcome.effects if isinstance(one, Pay) and one.player == self._player]
        for notice in outcome.notices:
            if notice.push != "attempt.ended" or self._player not in notice.players:
                continue
            if isinstance(notice.body, AttemptView):
                attempt = arena.attempts.own(last_number(notice.body.attempt_id) or 0, self._player)
                if attempt is not None and attempt.ended_at is not None:
                    moment = self._standing(arena, attempt.ended_at, "ended", attempt)
                    moment.pays, pays = pays, []
                    self._add(moment)
        if pays:
            self._add(Moment(now, "paid", pays=pays))

    def _wrote(self, arena: Arena, attempt: Attempt, command: Write, outcome: Outcome, now: int) -> None:
        scoring = arena.rules.scoring
        given = command.metrics if isinstance(command.metrics, dict) else {}
        written = outcome.reply if isinstance(outcome.reply, Written) else None
        moment = self._standing(arena, now, "rejected" if written is None else "write", attempt)
        moment.mode, moment.given, moment.findings = command.mode, given, command.findings or []
        if written is not None:
            incoming = scoring.incoming(self._raw, given, command.mode)
            if not isinstance(incoming, Refusal):
                pulled = zip(scoring.keys, incoming, attempt.raw, strict=True)
                moment.resets = [key for key, asked, raw in pulled if asked != raw]
            moment.capped = [key for key in scoring.keys if written.metrics[key] != written.metrics_raw[key]]
            moment.metrics, moment.metrics_raw = written.metrics, written.metrics_raw
            moment.milestones = [one.key for one in written.fired]
            moment.status = attempt.status
        moment.pays = [one for one in outcome.effects if isinstance(one, Pay) and one.player == self._player]
        self._add(moment)
        self._sample(arena, now)

    def _standing(self, arena: Arena, at: int, what: Deed, attempt: Attempt | None) -> Moment:
        row = arena.board.standings.row(self._player) if arena.rules.has_board else None
        moment = Moment(at, what)
        if attempt is not None:
            moment.attempt_id, moment.status = attempt_id(arena.id, attempt.serial), attempt.status
            moment.score = attempt.score
        if row is not None:
            moment.rank = arena.board.standings.rank_of_player(self._player)
        return moment

    def _add(self, moment: Moment) -> None:
        self.moments.append(moment)

    def _sample(self, arena: Arena, now: int) -> None:
        row = arena.board.standings.row(self._player)
        newest = next(arena.attempts.of(self._player), None)
        if row is not None:
            score, rank = arena.board.shown(row), arena.board.standings.rank_of_player(self._player)
        elif newest is not None and not arena.rules.has_board:
            score, rank = newest.score, None
        else:
            return
        last = self._curve[-1] if self._curve else None
        if last is not None and last.at == now:
            self._curve.pop()
        self._curve.append(Sample(now, score, rank))

    # -- the board as it stood

    def show(self, contest: Contest, made: Explanation, until: int) -> None:
        """Put into an explanation how things stand at an instant."""
        contest.apply(GetAttempt(ANYONE, -1), until)  # bots come to where they are by then
        arena = contest.arena
        made.contest_id, made.has_board = contest.id, arena.rules.has_board
        serials = [one.serial for one in arena.attempts.of(self._player)]
        views = [contest.apply(GetAttempt(ANYONE, serial), until).reply for serial in reversed(serials)]
        made.attempts = [view for view in views if isinstance(view, AttemptView)]
        self._sample(arena, made.at)
        made.curve = self._curve[::-1][:: len(self._curve) // CURVE_MAX + 1][::-1]
        if not made.has_board:
            return
        standings, board = arena.board.standings, arena.board
        made.total, made.is_hidden = len(standings), self._player in board.hidden
        rank = standings.rank_of_player(self._player)
        if rank is None:
            return
        first = max(1, rank - AROUND)
        rows = standings.page(first - 1, rank + AROUND - first + 1)
        made.places = [place_of(row, at, arena, self._timeline) for at, row in enumerate(rows, first)]
        own = rank - first
        made.own = made.places[own]
        if own:
            pair = made.places[own - 1], made.places[own]
            made.above = decided(rows[own - 1], rows[own], pair, pair[0])
        if own + 1 < len(rows):
            pair = made.places[own], made.places[own + 1]
            made.below = decided(rows[own], rows[own + 1], pair, pair[1])
