"""The auditor itself: told of every answer, it keeps the books, and closes them in the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kraty_actors.testing.auditor.attempts import AttemptRules, Definition
from kraty_actors.testing.auditor.boards import Line, check_final, check_ranks, line_of
from kraty_actors.testing.auditor.findings import Span, expect, instant
from kraty_actors.testing.auditor.rewards import Due, Prizes, due_of
from kraty_actors.testing.auditor.runs import Reply, Run, Times

NEVER = 2**62
"""Later than everything (ms)."""

Occurrence = tuple[int, int]
"""A window by its start and end (ms)."""


@dataclass(slots=True)
class EventBooks:
    """What is known of one event. Its windows do not overlap."""

    definition: Definition
    occurrences: Sequence[Occurrence]
    rules: AttemptRules
    prizes: Prizes
    times: Times = field(default_factory=Times)
    runs: list[Run] = field(default_factory=list)
    untold: dict[str, int] = field(default_factory=dict)
    """Players who may have an attempt that nobody told them of, and since when: a lobby began without them, or an
    answer was lost."""
    ever_untold: dict[str, list[int]] = field(default_factory=dict)
    """All such instants, by player."""

    @property
    def mode(self) -> str:
        return str(self.definition["leaderboard"]["mode"])

    @property
    def aggregation(self) -> str:
        return str(self.definition["leaderboard"].get("scoreAggregation", "best"))

    @property
    def bots(self) -> int:
        return sum(one["count"] for one in self.definition.get("botBindings", []))

    @property
    def seats(self) -> int | None:
        """Human seats of a board; None for any number."""
        capacity = self.definition["leaderboard"].get("capacity")
        return None if capacity is None else capacity - self.bots

    def of(self, player: str) -> list[Run]:
        return [run for run in self.runs if run.player == player]


class Auditor:
    """Judges a game whose definitions are `game`; `occurrences` are the windows of its events, by key."""

    def __init__(self, game: Definition, occurrences: Mapping[str, Sequence[Occurrence]]) -> None:
        self._game = game
        self.events = {
            one["key"]: EventBooks(one, occurrences[one["key"]], AttemptRules(one), Prizes(one, game))
            for one in game["events"]
        }
        self._credited: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._ranks: dict[str, int] = {}
        self.answers = 0

    @property
    def windows(self) -> int:
        """How many windows somebody played in."""
        return len({run.window_id for books in self.events.values() for run in books.runs})

    @property
    def ranks(self) -> int:
        """How many ranks were judged."""
        return sum(self._ranks.values())

    @property
    def in_doubt(self) -> int:
        """Attempts of which it was never learned whether a write was taken up: their boards are judged less closely."""
        return sum(run.has_doubts for books in self.events.values() for run in books.runs)

    # -- what is answered

    def credited(self, player: str, currency: str, amount: int) -> None:
        self._credited[player][currency] += amount

    def pausing(self, event: str, sent: int, *, is_paused: bool) -> None:
        """An operator is about to pause the event, or to resume it."""
        self.events[event].times.pauses.append((Span(sent, NEVER), is_paused))

    def paused(self, event: str, span: Span | None, *, is_paused: bool) -> None:
        """That was done; None if it was refused."""
        self.events[event].times.pauses.pop()
        if span is not None:
            self.events[event].times.pauses.append((span, is_paused))

    def finalizing(self, event: str, ends_at: int, sent: int) -> None:
        """An operator is about to finalize the window that is to end then."""
        self.events[event].times.finalized[ends_at] = Span(sent, NEVER)

    def finalized(self, event: str, ends_at: int, span: Span | None) -> None:
        """That was done; None if it was refused."""
        del self.events[event].times.finalized[ends_at]
        if span is not None:
            self.events[event].times.finalized[ends_at] = span

    def started(self, event: str, player: str, reply: Reply, span: Span) -> Run | None:
        """R-16, R-17, R-18: judge the answer to a start; the attempt, if there is one."""
        self.answers += 1
        books = self.events[event]
        if reply.ok is None:
            self._not_started(books, player, reply, span)
            return None
        shown = reply.ok["attempt"]
        current = self._running(books, player, shown["attemptId"])
        if current is not None:
            expect(current.may_run(span), "R-16: start returns an attempt that is over", attempt=shown)
            current.saw(shown, span)
            return current
        since = min(span.sent, books.untold.pop(player, span.sent))
        return self._new(books, player, shown, Span(since, span.came), books.of(player))

    def found(self, event: str, player: str, shown: Mapping[str, Any]) -> None:
        """An attempt that is there in the end, whoever knows of it."""
        books = self.events[event]
        if self._running(books, player, shown["attemptId"]) is None:
            expect(player in books.ever_untold, "R-16: an attempt that nobody asked for", attempt=shown)
            at = instant(shown["startedAt"]) or 0
            before = [run for run in books.of(player) if run.started.came < at]
            asked = Span(max((sent for sent in books.ever_untold[player] if sent <= at), default=at), at)
            fresh = self._new(books, player, {**shown, **books.rules.view(books.rules.fresh())}, asked, before)
            books.runs.remove(fresh)
            books.runs.insert(books.runs.index(before[-1]) + 1 if before else 0, fresh)

    def _new(self, books: EventBooks, player: str, shown: Mapping[str, Any], span: Span, earlier: Iterable[Run]) -> Run:
        before = [run for run in earlier if run.window_id == shown["windowId"]]
        expect(all(run.attempt_id != shown["attemptId"] for run in books.runs), "R-16: an id was given twice")
        expect(all(run.may_be_over(span) for run in before), "R-16: a second attempt while one runs", attempt=shown)
        is_replayable = bool(books.definition["attempt"].get("replayableDuringWindow"))
        expect(is_replayable or not before, "R-17: a second attempt in the window", attempt=shown)
        expect(books.times.may_be(False, span), "R-18: started, and the event was paused", attempt=shown)
        started_at = instant(shown["startedAt"]) or 0
        expect(span.sent <= started_at <= span.came, "R-13: started at another time", attempt=shown, span=span)
        # A window admits with one commit, and the attempt begins with the next, be it after the end.
        opened = next((one for one in reversed(books.occurrences) if one[0] <= started_at), None)
        is_open = opened is not None and span.sent < opened[1]
        expect(is_open, "R-18: started, and no window was open", attempt=shown, span=span)
        ends_at = opened[1] if opened else None
        duration = books.definition["attempt"].get("durationSeconds")
        own_end = min(ends_at or 0, started_at + duration * 1000) if duration else ends_at
        expect(instant(shown["endsAt"]) == own_end, "R-12: it ends at another time", attempt=shown, expected=own_end)
        run = Run(
            shown["attemptId"], player, shown["windowId"], shown["leaderboardId"], span, own_end, ends_at,
            books.rules, books.times, [books.rules.fresh()],
        )  # fmt: skip
        run.saw(shown, span)
        for other in before:
            other.must_be_over(span)
        books.runs.append(run)
        return run

    def _not_started(self, books: EventBooks, player: str, reply: Reply, span: Span) -> None:
        code, runs = reply.code, books.of(player)
        # Who asks while a window ends may have been admitted by it, and be refused when the answer is looked up.
        at_an_end = any(span.sent < end <= span.came for _, end in books.occurrences)
        if reply.lost or at_an_end or code == "lobby_forming":
            books.untold.setdefault(player, span.sent)
            books.ever_untold.setdefault(player, []).append(span.sent)
        if code == "event_disabled":
            expect(books.times.may_be(True, span), "R-18: start refused, and the event was live", reply=reply)
        elif code == "no_active_window":
            expect(self._may_be_closed(books, span), "R-18: start refused, and a window was open", reply=reply)
        elif code == "max_attempts_reached":
            is_replayable = bool(books.definition["attempt"].get("replayableDuringWindow"))
            expect(not is_replayable, "R-17: start refused", reply=reply)
            is_over = any(run.may_be_over(span) for run in runs) or player in books.ever_untold
            expect(is_over, "R-16/R-17: start refused without an attempt that is over", reply=reply)
        elif code == "lobby_forming":
            expect(books.mode == "lobby_matched", "R-31: forming without lobbies", reply=reply)
        else:
            expect(False, "R-18: start is refused", reply=reply)

    def _may_be_closed(self, books: EventBooks, span: Span) -> bool:
        def is_open_throughout(one: Occurrence) -> bool:
            finalized = books.times.finalized.get(one[1])
            return one[0] <= span.sent and span.came < one[1] and not (finalized and finalized.sent <= span.came)

        return not any(is_open_throughout(one) for one in books.occurrences)

    def _running(self, books: EventBooks, player: str, attempt_id: str) -> Run | None:
        return next((run for run in books.of(player) if run.attempt_id == attempt_id), None)

    # -- the end

    def check_board(self, board: Mapping[str, Any], event: str, participants: Mapping[str, str]) -> None:
        """One board of an event, at rest."""
        books = self.events[event]
        runs = [run for run in books.runs if run.board_id == board["leaderboardId"]]
        lines = {participants[who]: line_of(own, books.aggregation) for who, own in _by_player(runs).items()}
        doubtful = {participants[run.player] for run in runs if run.has_doubts}
        check_final(board, lines, books.bots, doubtful)
        self._ranks[board["leaderboardId"]] = check_ranks(runs, books.aggregation, books.bots)

    def check_placement(self, event: str) -> None:
        """R-30, R-31: boards hold as many as they may, and each player has one a window."""
        books = self.events[event]
        members: defaultdict[tuple[str, str | None], set[str]] = defaultdict(set)
        for run in books.runs:
            members[run.window_id, run.board_id].add(run.player)
        for window_id in {run.window_id for run in books.runs}:
            boards = {key: who for key, who in members.items() if key[0] == window_id}
            expect(
                sum(map(len, boards.values())) == len(set().union(*boards.values())),
                "R-30: on two boards of a window",
                boards=boards,
            )
            if books.seats is None:
                expect(len(boards) == 1, "R-30: a window has one board", boards=boards)
                continue
            expect(all(len(who) <= books.seats for who in boards.values()), "R-30: a board is over-full", boards=boards)
            if books.mode == "grouped":
                short = [who for who in boards.values() if len(who) < books.seats]
                expect(len(short) <= 1, "R-30: a board was begun before another was full", boards=boards)

    def check_shared(self, board: Mapping[str, Any], key: str, participants: Mapping[str, str]) -> None:
        """A shared board without periods (R-32)."""
        aggregation = next(one for one in self._game["leaderboards"] if one["key"] == key).get(
            "scoreAggregation", "best"
        )
        sources = [books for books in self.events.values() if key in books.definition.get("contributesTo", [])]
        wrote = [run for books in sources for run in books.runs if run.settled().scores]
        rows: dict[str, Line] = {}
        for player, own in _by_player(wrote).items():
            rows[participants[player]] = _merged(own, aggregation)
        check_final(board, rows, 0, {participants[run.player] for run in wrote if run.has_doubts})

    def due(self, ranks: Mapping[str, Sequence[tuple[str, Mapping[str, int]]]]) -> dict[str, Counter[Due]]:
        """All grants that there should be, by player. `ranks` by event: each board's window, and ranks by player."""
        found: defaultdict[str, Counter[Due]] = defaultdict(Counter)
        for key, books in self.events.items():
            for player, due in books.prizes.of_attempts(books.runs):
                found[player][due] += 1
            for window_id in dict.fromkeys(run.window_id for run in books.runs):
                runs = [run for run in books.runs if run.window_id == window_id]
                boards = [board for window, board in ranks[key] if window == window_id]
                for player, due in books.prizes.of_window(window_id, runs, boards):
                    found[player][due] += 1
        return found

    def check_money(
        self, player: str, due: Counter[Due], grants: Iterable[Mapping[str, Any]], balances: Mapping[str, int]
    ) -> None:
        """R-27, R-56: every grant once, no other, and a wallet that is the sum of all, every grant being claimed."""
        given = Counter(due_of(grant) for grant in grants)
        expect(given == due, "R-27: grants differ", player=player, missing=due - given, too_many=given - due)
        wallet = Counter(self._credited[player])
        for books in self.events.values():
            wallet.subtract(books.prizes.charged(books.runs).get(player, Counter()))
        for (_, _, contents), times in given.items():
            for resource, amount in contents:
                wallet[resource] += amount * times
        shown = {key: balance for key, balance in balances.items() if balance}
        expect(
            shown == {k: v for k, v in wallet.items() if v},
            "R-20/R-40: the wallet differs",
            player=player,
            shown=shown,
            expected=dict(wallet),
        )


def _by_player(runs: Iterable[Run]) -> dict[str, list[Run]]:
    found: defaultdict[str, list[Run]] = defaultdict(list)
    for run in runs:
        found[run.player].append(run)
    return found


def _merged(runs: Sequence[Run], aggregation: str) -> Line:
    """A row that attempts of several events make; a player does one thing at a time, so their writes have an order."""
    writes = sorted(
        ((span, run.attempt_id, score) for run in runs for score, span in run.states[0].scores),
        key=lambda one: (one[0].sent, one[0].came),
    )
    newest: dict[str, Any] = {}
    line: Line = []
    for span, attempt_id, score in writes:
        newest[attempt_id] = score
        best = max(score, line[-1][0]) if line else score
        value = {"best": best, "latest": score, "sum": sum(newest.values())}[aggregation]
        if not line or value != line[-1][0]:
            line.append((value, span))
    return line
