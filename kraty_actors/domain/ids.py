"""Names of things, derived from what they are, so that a replay makes the same ones.

A window's id comes from its event and start (R-24: idempotent on both). A contest's id extends its window's, an
attempt's id extends its contest's: routing a message is cutting a string. A shared board's id names one period of
it: its board and the instant at which the period starts.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

CALENDAR = "calendar"

_BASE_32 = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [high + low for high in _BASE_32 for low in _BASE_32]
_SHIFTS = range(70, -10, -10)
"""80 bits are written ten at a time: four times as fast as the standard library's way, with the same result."""


def digest_id(prefix: str, *parts: object) -> str:
    """An opaque id of 80 bits from `parts`; the same parts give the same id on every machine."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    bits = int.from_bytes(digest[:10], "big")
    return prefix + "".join([_PAIRS[bits >> shift & 0x3FF] for shift in _SHIFTS])


def window_id(event_key: str, starts_at: int) -> str:
    return digest_id("w", event_key, starts_at)


def player_windows_id(event_key: str) -> str:
    """What opens an event's per-player windows (R-22)."""
    return digest_id("e", event_key)


def player_window_id(event_key: str, player: int, starts_at: int) -> str:
    """One player's own window; no shared one has its id, for a key has no NUL."""
    return digest_id("w", event_key, player, starts_at)


def contest_id(window: str, number: int) -> str:
    return f"{window}.{number}"


def board_id(key: str, starts_at: int) -> str:
    """One period of the shared board `key`: `b4x...-18c251f5c00`, the start in hexadecimal."""
    return f"{digest_id('b', key)}-{starts_at:x}"


def attempt_id(contest: str, serial: int) -> str:
    return f"{contest}.{serial}"


def grant_id(window: str, player: int, policy: str, slot: str) -> str:
    return digest_id("g", window, player, policy, slot)


def parent(name: str) -> str:
    """The contest of an attempt, or the window of a contest; empty if `name` has no parent."""
    return name.rpartition(".")[0]


def window_of(name: str) -> str:
    """The window of a window, contest, lobby or attempt id."""
    return name.partition(".")[0]


def last_number(name: str) -> int | None:
    """The number that ends a contest's or an attempt's id; None if it is not one of ours."""
    tail = name.rpartition(".")[2]
    return int(tail) if _NUMBER.fullmatch(tail) else None


def is_contest(name: str) -> bool:
    """Whether `name` has the form of a contest's id, which is a board's and a lobby's too."""
    return _CONTEST.fullmatch(name) is not None


def is_shared_board(name: str) -> bool:
    """Whether `name` has the form of the id of a shared board's period."""
    return _SHARED_BOARD.fullmatch(name) is not None


def is_player_windows(name: str) -> bool:
    """Whether `name` has the form of `player_windows_id`."""
    return _PLAYER_WINDOWS.fullmatch(name) is not None


def is_window(name: str) -> bool:
    """Whether `name` has the form of a window's id."""
    return _WINDOW.fullmatch(name) is not None


def is_board(name: str) -> bool:
    """Whether `name` has the form of a board's id: a contest's, or a period's of a shared board."""
    return is_contest(name) or is_shared_board(name)


@lru_cache(maxsize=1 << 16)
def split_attempt(name: str) -> tuple[str, int] | None:
    """The contest and the serial of an attempt's id; None if it has not its form."""
    contest, _, serial = name.rpartition(".")
    return (contest, int(serial)) if _NUMBER.fullmatch(serial) and _CONTEST.fullmatch(contest) else None


_NUMBER = re.compile("0|[1-9][0-9]{0,14}", re.ASCII)
_SHARED_BOARD = re.compile(r"b[a-z2-7]{16}-[0-9a-f]{1,12}", re.ASCII)
_PLAYER_WINDOWS = re.compile(r"e[a-z2-7]{16}", re.ASCII)
_WINDOW = re.compile(r"w[a-z2-7]{16}", re.ASCII)
_CONTEST = re.compile(r"w[a-z2-7]{16}\.[1-9][0-9]{0,14}", re.ASCII)

BOT_SEATS_MAX = 1 << 20


def bot_participant(seat: int) -> int:
    """A bot as a participant: below every player's number, and in the order of seats."""
    return seat - BOT_SEATS_MAX


def bot_seat(participant: int) -> int:
    return participant + BOT_SEATS_MAX


def bot_public_id(participant: int) -> str:
    """A bot's `participantId`: unique on its board, sorted as its seat is (R-28)."""
    return f"bot{bot_seat(participant) + 1:04}"


def bot_of_public_id(public_id: str) -> int | None:
    """The bot's participant, or None if `public_id` is none of a bot."""
    found = re.fullmatch("bot([0-9]{4,7})", public_id, re.ASCII)
    return bot_participant(int(found[1]) - 1) if found else None
