"""Draws the picture of `docs/rewards.md` from a small game that is played: `python docs/reward_pictures.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio

from drawing import BLUE, GREEN, INK, ORANGE, PAPER, VIOLET, keep, sheet, text
from kraty_actors import Game, open_game
from kraty_actors.actors.records import unpack
from kraty_actors.testing import ManualClock
from kraty_persistence import (
    AttemptRow,
    Charge,
    Completion,
    Delivery,
    GrantClaimed,
    GrantCreated,
    GrantRow,
    LedgerRow,
    MemoryStore,
    Occurred,
    Reporter,
    StoreError,
    Unit,
)

ROW = 46

NOON, HOUR_MS = 1_780_056_000_000, 3_600_000
GAME: dict[str, Any] = {
    "gameId": "drawn",
    "currencies": [{"key": "cash"}],
    "items": [{"key": "bullet"}],
    "webhooks": [{"key": "backend", "url": "http://127.0.0.1:9/", "secret": "nobody listens there"}],
    "events": [
        {
            "key": "bounty_hunt",
            "availability": {"mode": "fixed", "startsAt": "2026-05-29T12:00:00Z", "endsAt": "2026-05-29T13:00:00Z"},
            "metrics": [{"key": "bounties", "target": 5}],
            "entryCost": {"currencies": [{"key": "cash", "amount": 50}], "items": [{"key": "bullet", "quantity": 1}]},
            "rewardPolicy": {"type": "shared_pool", "parameters": {"pool": 1000, "currencyKey": "cash"}},
        }
    ],
}


FACTS = {"event.window_closed": ["the window is closed"], "event.finalized": ["the window is final"]}
"""What is told of, where the commit has no row but the journal's."""


def pictures() -> dict[str, str]:
    """Every picture of the page, by its name."""
    return {"path": path()}


# -- what one game writes, commit by commit


@dataclass
class Commit:
    """What was written in one transaction, in words, and what the outbox got in it."""

    cause: str
    changes: list[str] = field(default_factory=list)
    books: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """What it is about, and what it does to wallet and inventory."""
        return [*self.books, *([", ".join(self.changes)] if self.changes else [])]


class WatchedStore(MemoryStore):
    """Keeps an account of each transaction, under the name of what is going on."""

    def __init__(self) -> None:
        self.cause = ""
        self.commits: list[Commit] = []
        self._reporter: Reporter | None = None
        super().__init__()

    @property
    def reporter(self) -> Reporter | None:
        return None if self._reporter is None else self._reported

    @reporter.setter
    def reporter(self, reporter: Reporter | None) -> None:
        self._reporter = reporter

    def _reported(self, occurred: Occurred) -> Sequence[Delivery]:
        commit = self.commits[-1]
        match occurred:
            case LedgerRow(delta=delta, resource=resource, balance=balance):
                change = f"{delta:+,} {resource} (now {balance:,})".replace("-", "\N{MINUS SIGN}")
                commit.changes.append(change)
            case GrantCreated(grant):
                commit.books.append(f"a grant of {_contents(grant)}, pending")
            case GrantClaimed():
                commit.books.append("the grant is claimed")
        deliveries = self._reporter(occurred) if self._reporter is not None else ()
        commit.told += [delivery.name for delivery in deliveries]
        return deliveries

    def _fate(self, unit: Unit) -> StoreError | None:
        self.commits.append(Commit(self.cause))
        fate = super()._fate(unit)
        for effect in unit.effects:
            match effect:
                case Charge():
                    self.commits[-1].books.append("Ann is in")
                case AttemptRow():
                    self.commits[-1].books.append("her attempt")
                case Completion():
                    self.commits[-1].books.append("the attempt is completed")
                case Delivery(name=name):
                    self.commits[-1].told.append(name)
                    self.commits[-1].books += FACTS.get(name, ())
        return fate

    async def claim(self, *args: Any, **kwargs: Any) -> GrantRow | None:
        self.commits.append(Commit(self.cause))
        return await super().claim(*args, **kwargs)


def _contents(grant: GrantRow) -> str:
    return ", ".join(f"{entry['amount']:,} {entry['currencyKey']}" for entry in unpack(grant.contents))


async def _played() -> list[Commit]:
    """Ann has 120 cash and 3 bullets, pays to start, hunts all five, and claims her prize after the end."""
    clock, store = ManualClock(NOON), WatchedStore()
    async with open_game(GAME, store=store, clock=clock) as game:
        await _equip(game)
        store.commits.clear()
        store.cause = "start"
        attempt = await game.start("ann", "bounty_hunt")
        store.cause = "progress: 5"
        await game.progress_attempt("ann", attempt["attemptId"], {"bounties": 5})
        store.cause = "the end"
        clock.move_to(NOON + HOUR_MS)
        async for _ in game.watch_board(attempt["leaderboardId"]):
            pass
        store.cause = "claim"
        [grant] = await game.grants("ann")
        await game.claim("ann", grant["id"])
        return [commit for commit in store.commits if commit.lines]


async def _equip(game: Game) -> None:
    await game.introduce("ann", name="Ann")
    await game.server.credit("ann", "cash", 120, reason="purchase", idempotency_key="cash")
    await game.server.grant_items("ann", "bullet", 3, reason="purchase", idempotency_key="bullets")


# -- the picture

CAUSE_X, BOOKS_X, TOLD_X = 14, 140, 470
BOOKS_WIDTH, TOLD_WIDTH = 270, 236
CAUSES = {"start": BLUE, "progress: 5": BLUE, "the end": VIOLET, "claim": BLUE}


def path() -> str:
    commits = anyio.run(_played, backend="trio")
    parts = [
        text(CAUSE_X, 20, "what happens"),
        text(BOOKS_X, 20, "one commit each"),
        text(TOLD_X, 20, "what your backend is told"),
    ]
    for number, commit in enumerate(commits):
        parts += _row(commit, 32 + number * ROW)
    parts += _causes(commits)
    return sheet("the way of an entry fee and of a prize, commit by commit", 40 + len(commits) * ROW, parts)


def _row(commit: Commit, y: float) -> Iterator[str]:
    yield _box(BOOKS_X, y, BOOKS_WIDTH, ORANGE if commit.changes else INK)
    yield from _lines(BOOKS_X + 12, y, commit.lines)
    if commit.told:
        arrow = f"M{BOOKS_X + BOOKS_WIDTH + 4} {y + 19}H{TOLD_X - 4}m-6 -4l6 4l-6 4"
        yield f'<path d="{arrow}" fill="none" stroke="{GREEN}"/>'
        yield _box(TOLD_X, y, TOLD_WIDTH, GREEN)
        yield from _lines(TOLD_X + 12, y, sorted(set(commit.told)))


def _causes(commits: Sequence[Commit]) -> Iterator[str]:
    """One bar beside all commits of a cause."""
    for cause, colour in CAUSES.items():
        numbers = [number for number, commit in enumerate(commits) if commit.cause == cause]
        y, height = 32 + numbers[0] * ROW, len(numbers) * ROW - 8
        yield f'<rect x="{CAUSE_X}" y="{y}" width="106" height="{height}" rx="3" fill="{colour}"/>'
        yield text(CAUSE_X + 53, y + height / 2 + 4, cause, "middle", PAPER)


def _lines(x: float, y: float, lines: Sequence[str]) -> Iterator[str]:
    """One line in the middle of a row, or two."""
    first = y + 23 if len(lines) == 1 else y + 16
    for number, line in enumerate(lines):
        yield text(x, first + number * 15, line)


def _box(x: float, y: float, width: float, colour: str) -> str:
    size = f'x="{x}" y="{y}" width="{width}" height="{ROW - 8}" rx="3"'
    return f'<rect {size} fill="{colour}" fill-opacity=".08" stroke="{colour}"/>'


def main() -> None:
    keep("rewards", pictures())


if __name__ == "__main__":
    main()
