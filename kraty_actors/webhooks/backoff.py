"""When to try again: ever later, and not all at once (R-53). What is given up, is after a day."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_MS = 5_000
LONGEST_MS = 3_600_000
"""Pauses between two tries of one delivery: the first, doubled each time, up to the longest."""

JITTER = 0.2
"""Each pause is up to so much shorter or longer, by its delivery and try."""

GIVE_UP_MS = 24 * 3_600_000

FIRST_REST_MS = 100
LONGEST_REST_MS = 60_000
"""Pauses of an endpoint that fails: the first, doubled with each failure in a row, up to the longest."""


def pause_ms(delivery_id: str, attempts: int) -> int:
    """How long to wait after the last of `attempts` (1 or more) tries: always the same for the same."""
    plain = min(FIRST_MS << min(attempts - 1, 30), LONGEST_MS)
    draw = int.from_bytes(hashlib.sha256(f"{delivery_id}\0{attempts}".encode()).digest()[:4]) / 2**32
    return round(plain * (1 - JITTER + 2 * JITTER * draw))


def spent_ms(delivery_id: str, attempts: int) -> int:
    """All pauses together after so many tries."""
    return sum(pause_ms(delivery_id, attempt) for attempt in range(1, attempts + 1))


def rest_ms(failures: int) -> int:
    """How long an endpoint is left alone after so many failures in a row."""
    return min(FIRST_REST_MS << min(failures - 1, 30), LONGEST_REST_MS) if failures else 0


def asked_ms(retry_after: str | None, now: int) -> int:
    """How long a `Retry-After` header asks to wait, from `now` (ms since the epoch): seconds or a date, at most
    `LONGEST_MS`. What is neither asks for nothing."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:10]) * 1000, LONGEST_MS)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return 0
    moment = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    seconds = (moment - datetime.fromtimestamp(now / 1000, UTC)).total_seconds()
    return min(max(0, round(seconds * 1000)), LONGEST_MS)
