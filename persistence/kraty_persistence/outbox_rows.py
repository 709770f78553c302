"""The rows of the outbox: what is to be delivered to somebody outside, at least once (R-53)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from kraty_persistence.money_rows import Occurred

__all__ = ["Delivery", "DeliveryRow", "Reporter"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Effect: something to deliver, due at once. An id that is in the outbox already is left as it is.

    Attributes:
        endpoint: Whom to deliver it to.
        name: What kind of thing it is.
        body: What to deliver, as bytes that only the caller understands.
    """

    id: str
    endpoint: str
    name: str
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery that was not made yet.

    Attributes:
        attempts: How often it was tried.
        next_at: When to try again; None for a dead one, which was given up.
        error: Why the last try failed; empty if there was none.
    """

    id: str
    endpoint: str
    name: str
    at: int
    body: bytes
    attempts: int
    next_at: int | None
    error: str


Reporter: TypeAlias = Callable[[Occurred], Sequence[Delivery]]
"""Says what is to be delivered because of something. It is called within the transaction, on any thread and perhaps
more than once for the same: it must be a pure function."""
