"""How fast a peer may ask: a token bucket, kept as one instant.

`paid_at` is when all that was taken will have been paid for; each request moves it on by the price of one, and it may
lie as far ahead of the present as the whole burst is worth. So a chunk costs one comparison, and a request one addition
and one comparison.
"""

from __future__ import annotations

import math


class Pace:
    """A bucket that holds `burst` requests and fills at `rate` a second; times are in seconds of the loop's clock."""

    __slots__ = ("_limit", "_patience", "_price", "paid_at", "rate")

    def __init__(self, rate: int, burst: float) -> None:
        self.rate = rate
        self.paid_at = 0.0
        self._limit = math.inf if math.isinf(burst) else 0.0
        self._price = 1 / rate
        self._patience = (burst + 0.5) / rate  # half a request more, so that rounding takes none away

    def at(self, now: float) -> None:
        """It is `now`; to be told before requests that have just come are taken."""
        if self.paid_at < now:
            self.paid_at = now
        self._limit = now + self._patience

    def take(self) -> bool:
        """Pay for one request, if there is enough."""
        paid_at = self.paid_at + self._price
        if paid_at > self._limit:
            return False
        self.paid_at = paid_at
        return True

    def wait_seconds(self) -> float:
        """After how long there will be enough for one, in whole milliseconds."""
        missing = self.paid_at + self._price - self._limit
        return max(1, math.ceil(missing * 1000)) / 1000


UNHURRIED = Pace(1, math.inf)
"""Of the program itself."""
