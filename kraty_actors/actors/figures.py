"""What is counted while actors run: plain numbers, which become samples only when somebody asks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

from kraty_actors.actors.cell import Batch, Cell
from kraty_actors.domain.ids import CALENDAR, is_contest, is_player_windows, is_shared_board
from kraty_actors.domain.outcome import Effect, Flagged

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Histogram:
    """How many values were at most each of `bounds`, and how many were more than the last."""

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self.total = 0.0
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)

    def add(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def add_since(self, begun_at: Sequence[float], now: float) -> None:
        """Add how long each of these took until now; what comes together in a row began together."""
        counts, bounds, last, at = self._counts, self._bounds, -1.0, 0
        for begun in begun_at:
            if begun != last:
                last, at = begun, bisect_left(bounds, now - begun)
            counts[at] += 1
        self.total += now * len(begun_at) - sum(begun_at)

    def buckets(self) -> list[tuple[str, float]]:
        """Each bound with the number of values up to it."""
        count, made = 0, []
        for bound, more in zip([*map(str, self._bounds), "+Inf"], self._counts, strict=True):
            count += more
            made.append((bound, float(count)))
        return made

    @property
    def count(self) -> int:
        return sum(self._counts)


@dataclass(frozen=True, slots=True)
class ActorFigures:
    """One actor as it stands.

    Attributes:
        kind: `calendar`, `window`, `contest`, `shared_board` or `player_windows`.
        mailbox: Commands that wait for their turn.
        in_flight: Batches that the store has not committed yet.
        batches: Batches in its journal.
        handled: Commands since it was read back from the store.
        lag_seconds: For how long the oldest batch has waited for the store.
    """

    id: str
    kind: str
    mailbox: int
    in_flight: int
    batches: int
    handled: int
    lag_seconds: float


class LoopFigures:
    """Of one loop and its actors.

    Attributes:
        batch_sizes: Commands of each batch that was handed to the store.
        commits: Seconds from there until the loop heard that it is durable.
        flagged: How often each validator said what, by (validator, verdict).
        committed: Hears of each batch that is durable: its actor, how many commands, and after how many seconds.
    """

    def __init__(self) -> None:
        self.batch_sizes = Histogram(SIZES)
        self.commits = Histogram()
        self.flagged: dict[tuple[str, str], int] = {}
        self.committed: Callable[[str, int, float], None] | None = None

    def handed(self, batch: Batch) -> None:
        batch.handed_at = perf_counter()
        self.batch_sizes.add(len(batch.envelopes))

    def stored(self, actor_id: str, batch: Batch) -> None:
        seconds = perf_counter() - batch.handed_at
        self.commits.add(seconds)
        if self.committed is not None:
            self.committed(actor_id, len(batch.envelopes), seconds)

    def happened(self, effect: Effect) -> None:
        if isinstance(effect, Flagged):
            name = effect.validator_key, effect.verdict
            self.flagged[name] = self.flagged.get(name, 0) + 1


def figures_of(cells: Iterable[Cell]) -> Iterator[ActorFigures]:
    """How each actor stands."""
    now = perf_counter()
    for cell in cells:
        waiting = next((batch for batch in cell.in_flight if not batch.committed), None)
        lag = now - waiting.handed_at if waiting is not None else 0.0
        counts = len(cell.mailbox), len(cell.in_flight), cell.number, cell.handled
        yield ActorFigures(cell.id, kind_of(cell.id), *counts, lag)


def kind_of(actor_id: str) -> str:
    """What an actor is, by its id."""
    if actor_id == CALENDAR:
        return "calendar"
    if is_contest(actor_id):
        return "contest"
    if is_shared_board(actor_id):
        return "shared_board"
    return "player_windows" if is_player_windows(actor_id) else "window"
