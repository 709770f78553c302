"""How much one peer may say at once. Every number that the wire promises stands here, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["player", "server", "operator"]
ROLES: frozenset[str] = frozenset(get_args(Role))

PROTOCOL_VERSION = 1
MAX_WHOLE = 2**53 - 1
"""Ids, seqs, amounts and metric values stop here, where every client language still counts exactly."""

MALFORMED_FRAMES = 20
"""Unreadable frames in all before the connection is closed (1008)."""
HELLO_SECONDS = 10
"""Time in which a new connection must have said `hello` (else 4408)."""
PING_SECONDS = 20
"""Silence after which the server pings."""
SILENCE_SECONDS = 60
"""Silence after which the server drops the connection."""

ID_CHARS = 64
"""Length of ids, keys, player ids and idempotency keys."""
CONTEXT_ENTRIES = 16
"""Entries of `playerContext`."""
ATTRIBUTES = 64
"""Entries of `attributes`."""
SCALAR_CHARS = 1024
"""Length of a text among attributes and in `playerContext`."""
TEXT_CHARS = 256
"""Length of names, avatars, countries and reasons."""
BAG_BYTES = 16 * 1024
"""Length of a `metadata` bag, as JSON in UTF-8."""
LOBBY_SEATS = 1000
"""Seats of one lobby."""
GRANT_ENTRIES = 64
"""Entries of a grant that a server gives, as of a bundle."""
CORRECTED_PLAYERS = 1000
"""Players that one correction may take out of a window."""
REPLAYED_DELIVERIES = 1000
"""Deliveries that one `webhooks.replay` may name."""
TOKEN_CHARS = 8192
"""Length of a token; those issued here have a few hundred characters."""
WATCHED_PARTICIPANTS = 100
"""Participants that one view may name."""
SIMULATED_PLAYERS = 10_000
"""Players of one simulation."""
SIMULATED_RUNS = 1_000
"""Windows of one simulation."""
STATS_ACTORS = 200
"""Actors that one `stats` may list."""
RESUMED_VIEWS = 1024
"""Views that one `hello` may ask to resume; the watches of a connection are limited by the game."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one frame may hold.

    Attributes:
        frame_bytes: Length of a frame, in bytes; a longer one closes the connection (1009).
        depth: Maps and lists within each other, the frame's own map included.
        map_keys: Keys of one map.
        list_items: Items of one list. Not a rule of the wire but a guard of the decoder: it bounds what a
            list with a lying length makes it set aside.
    """

    frame_bytes: int
    depth: int
    map_keys: int
    list_items: int


PLAYER_LIMITS = Limits(frame_bytes=64 * 1024, depth=16, map_keys=256, list_items=4096)
TRUSTED_LIMITS = Limits(frame_bytes=8 * 1024 * 1024, depth=32, map_keys=10_000, list_items=100_000)

LIMITS: dict[Role, Limits] = {"player": PLAYER_LIMITS, "server": TRUSTED_LIMITS, "operator": TRUSTED_LIMITS}
"""By role. Before `hello` a connection has the player's."""
