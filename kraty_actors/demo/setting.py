"""What is played: the game file of this folder, with its window shortened to what a spectator has patience for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from kraty_protocol.shapes import iso, parse_iso

EVENT = "trail_of_triumph"
OPENS_AT = parse_iso("2026-03-06T20:00:00-05:00")
"""The demo's clock always shows the same evening, so window ids, and with them the bots, are the same in each run."""

LEAD_SECONDS = 3
"""How long before the opening the clock starts, so that the window is seen to open; less for a short one."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One evening's game: who plays is drawn from the seed, and so is every bot."""

    players: int = 20
    seconds: int = 40
    seed: int = 1

    @property
    def starts_at(self) -> int:
        """What the clock shows at first (ms since the epoch, like the two below)."""
        return OPENS_AT - min(LEAD_SECONDS * 1000, self.seconds * 500)

    @property
    def opens_at(self) -> int:
        return OPENS_AT

    @property
    def closes_at(self) -> int:
        return OPENS_AT + self.seconds * 1000

    def game(self) -> dict[str, Any]:
        """The game file: a window of `seconds`, on this one evening."""
        game: dict[str, Any] = json.loads(files(__package__).joinpath(f"{EVENT}.json").read_text("utf-8"))
        game["settings"]["seed"] = self.seed
        schedule = game["events"][0]["availability"]
        schedule["startsAt"], schedule["endsAt"] = iso(self.opens_at), iso(self.closes_at)
        schedule["windows"][0]["durationSeconds"] = self.seconds
        return game


def pool(game: dict[str, Any]) -> tuple[int, str]:
    """How much the winners share, and of which currency."""
    parameters = game["events"][0]["rewardPolicy"]["parameters"]
    return parameters["pool"], parameters["currencyKey"]
