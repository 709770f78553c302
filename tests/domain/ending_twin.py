"""How a board ends, the slow and obvious way: who wins, who is paid by rank, who moves (R-30, R-42, R-43)."""

from __future__ import annotations

from typing import Any

from contest_cases import LEAGUES, PREDICATES, TIERS
from contest_twin import Run, Twin


class Ending:
    """Of the board of a twin, in an event with this policy, which is a division of a league. `counted` is how many had
    won when the window was last told, `share` what it said each of them gets."""

    def __init__(self, twin: Twin, board: dict[str, Any], policy: str, league: str | None) -> None:
        self.twin, self.policy, self.league = twin, policy, league
        self.places = [(board.get(name) or {"places": 0})["places"] for name in ("promotion", "relegation")]
        self.is_segmented = board["mode"] == "segmented"
        self.at: int | None = None
        self.is_cancelled = False
        self.counted: int | None = None
        self.is_settling = False

    @property
    def has_pool(self) -> bool:
        return self.policy in PREDICATES and not self.is_cancelled

    def shown(self, run: Run, now: int) -> tuple[str, int | None]:
        """The status of an attempt, and when it ended: of one whose turn to end comes later, as it will be then."""
        ends = [at for at in (run.ends_at, self.at) if at is not None and at <= now]
        if run.status != "in_progress" or not ends:
            return run.status, run.ended_at
        return "expired" if self.is_cancelled else self.twin.final_status(run), min(ends)

    def end(self, run: Run, now: int) -> None:
        status, at = self.shown(run, now)
        self.twin.end(run, at, status if self.is_cancelled else None)

    def winners(self) -> list[int]:
        """R-43: whoever has an attempt that satisfies the predicate, in the order of their newest ones."""
        if not self.has_pool:
            return []
        _, satisfies = PREDICATES[self.policy]
        newest = sorted({run.player: run.serial for run in self.twin.runs}.items(), key=lambda one: one[1])
        return [player for player, _ in newest if self._wins(player, satisfies)]

    def _wins(self, player: int, satisfies: Any) -> bool:
        twin, rank = self.twin, self.twin.rank(player)
        own = [run for run in twin.runs if run.player == player and not run.is_void]
        return player not in twin.banned and any(satisfies(twin.capped(r.raw), r.is_completed, rank) for r in own)

    def pays(self, share: int) -> list[tuple[int, int]]:
        """Who is paid how much, in order."""
        if self.is_cancelled:
            return []
        if self.policy in TIERS:
            ranks = enumerate((who for who, _ in self.twin.rows()), 1)
            paid = [(who, self._amount(rank)) for rank, who in ranks if who > 0 and self._has_written(who)]
            return [(who, amount) for who, amount in paid if amount]
        return [(who, share) for who in self.winners()[: self.counted]] if share else []

    def _amount(self, rank: int) -> int:
        return next((n for first, last, n in TIERS[self.policy] if first <= rank <= (last or rank)), 0)

    def _has_written(self, player: int) -> bool:
        return any(run.applied and not run.is_void for run in self.twin.runs if run.player == player)

    def moves(self) -> dict[int, str]:
        """R-30: promotion wins, the ends clamp, bots hold their places and never move."""
        if self.is_cancelled or not self.is_segmented or self.league not in LEAGUES:
            return {}
        up, down = self.places
        standing = [who for who, _ in self.twin.rows()]
        at = LEAGUES.index(self.league)
        goes = {who: at - 1 for place, who in enumerate(standing) if place >= len(standing) - down}
        goes |= {who: at + 1 for place, who in enumerate(standing) if place < up}
        return {who: LEAGUES[to] for who, to in goes.items() if who > 0 and 0 <= to < len(LEAGUES)}
