"""The simulated players: what each will do is drawn from the seed before the first connects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import anyio
from anyio.abc import TaskStatus

from kraty_actors.client import Client, Refused, connect
from kraty_actors.demo.setting import EVENT
from kraty_protocol.shapes import Attempt, Grant, Progressed

NAMES = (
    "Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Margaret", "Ken", "Radia", "Dennis",
    "Frances", "Tony", "Katherine", "Niklaus", "Adele", "Leslie", "Shafi", "Robin", "Lynn", "Butler",
)  # fmt: skip

WINS_IN_A_ROW = 5
"""What completes the event: nobody plays on after that."""

MATCHES = range(25, 56)
SKILL = (0.4, 0.6)
LAST_MATCH = 0.85
"""When plans end, as a share of the window: so early that even a slow machine cuts nobody off."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One player's evening: the matches that will be won and lost, up to the win that completes the event.

    Attributes:
        pause: From one match to the next, as a share of the time that is left at the start.
    """

    number: int
    wins: tuple[bool, ...]
    pause: float

    @classmethod
    def drawn(cls, seed: int, number: int) -> Plan:
        chance = Random(f"{seed}/{number}")
        matches, skill = chance.choice(MATCHES), chance.uniform(*SKILL)
        wins: list[bool] = []
        streak = 0
        while len(wins) < matches and streak < WINS_IN_A_ROW:
            wins.append(chance.random() < skill)
            streak = streak + 1 if wins[-1] else 0
        return cls(number, tuple(wins), LAST_MATCH / matches)

    @property
    def completes(self) -> bool:
        """Whether the last wins complete the event."""
        return all(self.wins[-WINS_IN_A_ROW:])

    @property
    def suspense(self) -> tuple[bool, float]:
        """How much there is to see in this player's lobby: best is a player who completes, late."""
        return self.completes, len(self.wins) * self.pause

    @property
    def player_id(self) -> str:
        return f"player-{self.number:04}"

    @property
    def name(self) -> str:
        rounds, place = divmod(self.number - 1, len(NAMES))
        return f"{NAMES[place]} {rounds + 1}" if rounds else NAMES[place]


class Player:
    """One player with a connection of their own."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.client: Client
        self.attempt: Attempt

    async def connect(self, url: str, token: str, *, task_status: TaskStatus[None]) -> None:
        """Stay connected until cancelled."""
        async with connect(url, token=token) as self.client:
            task_status.started()
            await anyio.sleep_forever()

    async def start(self) -> None:
        """Enter the event, as soon as its window is open."""
        while True:
            try:
                self.attempt = await self.client.start(EVENT)
                return
            except Refused as refused:
                if not refused.is_no_active_window:
                    raise
                await anyio.sleep(0.05)

    async def play(self, seconds: float, report: Callable[[Progressed], None]) -> None:
        """Play the plan's matches over the seconds that are left, and report every acknowledgement."""
        begun = anyio.current_time()
        for number, won in enumerate(self.plan.wins, 1):
            await anyio.sleep_until(begun + number * self.plan.pause * seconds)
            try:
                report(await self.client.progress(self.attempt["attemptId"], {"streak" if won else "losses": 1}))
            except Refused as refused:
                if not refused.is_attempt_finished:
                    raise
                return  # the window closed: what was not acknowledged does not count

    async def collect(self) -> list[Grant]:
        """Claim what the close of the window brought."""
        grants = (await self.client.grants())["grants"]
        return [await self.client.claim(grant["id"]) for grant in grants]

    async def balance(self, currency: str) -> int:
        """What the wallet holds."""
        return sum(one["balance"] for one in await self.client.wallet() if one["key"] == currency)
