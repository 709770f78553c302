"""The checksum by which a watcher notices that its copy of a board has gone astray."""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from zlib import crc32

_DOUBLE = Struct(">d")


def board_check(rows: Iterable[tuple[str, float]]) -> int:
    """CRC-32 over the rows of a view in rank order, each given as participantId and score.

    Of each row: the participantId in UTF-8, one zero byte, the score as a big-endian IEEE double.
    """
    check = 0
    for participant_id, score in rows:
        check = crc32(participant_id.encode() + b"\0" + _DOUBLE.pack(score), check)
    return check
