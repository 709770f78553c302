"""What a journal record and a checkpoint part look like: MessagePack of plain data, with a format number first.

A batch record is `[format, now, [input, ...]]`, and from format 2 on behind it, in plain bytes, its digest (see
`chain`). An input is a command's record, or for a command that another actor sent `["<", source, number, ...record]`,
so that a replay knows what was heard already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgpack

from kraty_actors.domain import calendar_messages as calendar
from kraty_actors.domain import contest_messages as contest
from kraty_actors.domain import player_windows_messages as player_windows
from kraty_actors.domain import shared_board_messages as board
from kraty_actors.domain import window_messages as window
from kraty_actors.domain.ids import CALENDAR, is_contest, is_player_windows, is_shared_board
from kraty_actors.domain.outcome import Command, Plain, Tick

FORMAT = 2
"""Of a batch record."""

CHECKPOINT_FORMAT = 3
"""Of a checkpoint: what its first part, the cell's own, begins with. Before 3 it had no note at its end."""

DIGEST_BYTES = 16
FROM_ACTOR = "<"

Restore = Callable[..., Command]


def _by_tag(*commands: type[Command]) -> dict[str, Restore]:
    return {command.tag: getattr(command, "restored", command) for command in commands}


CALENDAR_INPUTS = _by_tag(
    Tick,
    calendar.PutGame,
    calendar.SetEventState,
    calendar.BanPlayer,
    calendar.FinalizeEvent,
    calendar.CancelWindow,
    calendar.ExtendWindow,
    calendar.OverrideWindow,
    calendar.CopyPrevious,
    window.WindowFinalized,
    player_windows.PlayerWindowsIdle,
)
PLAYER_WINDOWS_INPUTS = _by_tag(
    Tick,
    player_windows.PlanPlayerWindows,
    player_windows.Visit,
    contest.SetBan,
    calendar.FinalizeEvent,
    calendar.CancelWindow,
    calendar.ExtendWindow,
    calendar.OverrideWindow,
    window.WindowFinalized,
)
WINDOW_INPUTS = _by_tag(
    Tick,
    window.OpenWindow,
    window.Admit,
    window.Presence,
    window.Finalize,
    window.Cancel,
    window.Leave,
    window.Unseat,
    window.StartLobby,
    window.PushLobby,
    contest.Pause,
    contest.Resume,
    contest.Extend,
    contest.Amend,
    contest.AttemptEnded,
    contest.AttemptsEnded,
    contest.SetBan,
    contest.Closed,
    contest.Paid,
)
CONTEST_INPUTS = _by_tag(
    Tick,
    contest.Open,
    contest.Seat,
    contest.Write,
    contest.Finish,
    contest.ForceComplete,
    contest.Void,
    contest.SetBan,
    contest.Pause,
    contest.Resume,
    contest.Extend,
    contest.Amend,
    contest.Close,
    contest.Settle,
)
SHARED_BOARD_INPUTS = _by_tag(Tick, board.OpenPeriod, board.EndPeriod, board.Contribute, board.Retract, contest.SetBan)


class UnknownFormat(Exception):
    """A record of another version of the program; the message says which."""


class Unreadable(UnknownFormat):
    """Bytes that no version of the program has written."""


def inputs_of(actor_id: str) -> Mapping[str, Restore]:
    """The commands that may stand in this actor's journal."""
    if actor_id == CALENDAR:
        return CALENDAR_INPUTS
    if is_contest(actor_id):
        return CONTEST_INPUTS
    if is_shared_board(actor_id):
        return SHARED_BOARD_INPUTS
    return PLAYER_WINDOWS_INPUTS if is_player_windows(actor_id) else WINDOW_INPUTS


def restore_command(actor_id: str, record: Sequence[Plain]) -> Command:
    return inputs_of(actor_id)[record[0]](*record[1:])


def pack_batch(now: int, inputs: Sequence[Plain]) -> bytes:
    """A batch record, but for its digest."""
    return pack([FORMAT, now, inputs])


def is_chained(record: bytes) -> bool:
    """Whether the record ends with a digest: those of format 1 do not."""
    return record[:2] != b"\x93\x01"


def unpack_batch(record: bytes) -> tuple[int, list[Any]]:
    """The time of a batch and its inputs.

    Raises:
        UnknownFormat: The record was written by a newer program.
        Unreadable: It can not be read at all.
    """
    try:
        version = record[1]
        if version <= FORMAT:
            version, now, inputs = unpack(memoryview(record)[:-DIGEST_BYTES] if is_chained(record) else record)
            return now, inputs
    except (ValueError, TypeError, IndexError) as error:
        raise Unreadable(f"a journal record can not be read: {error}") from error
    raise UnknownFormat(f"a journal record has format {version}; this program reads {FORMAT}: upgrade kraty-actors")


_pack = msgpack.Packer().pack  # one for all threads: it never lends the GIL


def pack(plain: Plain) -> bytes:
    packed: bytes = _pack(plain)
    return packed


def unpack(data: bytes | memoryview) -> Plain:
    return msgpack.unpackb(data, strict_map_key=False)
