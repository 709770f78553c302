"""How a delivery is written and signed (R-52)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from kraty_protocol.shapes import iso

SIGNATURE_HEADER = "X-Signature"


def signature(secret: bytes, sent_at: int, body: bytes) -> str:
    """The header's value for these very bytes, sent at `sent_at` (ms since the epoch)."""
    seconds = sent_at // 1000
    digest = hmac.new(secret, b"%d." % seconds + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def body_of(
    delivery_id: str, name: str, game_id: str, occurred_at: int, attempt: int, data: Mapping[str, Any]
) -> bytes:
    """What is sent: JSON. `attempt` counts from 1; all the rest is the same in every try."""
    body = {
        "id": delivery_id,
        "eventName": name,
        "gameId": game_id,
        "occurredAt": iso(occurred_at),
        "deliveryAttempt": attempt,
        "data": data,
    }
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
