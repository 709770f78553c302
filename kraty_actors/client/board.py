"""A watcher's copy of a board, kept equal to the server's by deltas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from kraty_protocol.check import board_check
from kraty_protocol.shapes import Entry, OwnRow


class BoardView:
    """The rows of a board that were asked for, as of one version.

    Attributes:
        leaderboard_id: The board's id.
        version: Rises with each change of the board.
        total: How many rows the whole board has, bots included.
        entries: The rows of this view, sorted by rank.
        final: The board is closed and these are its final standings.
    """

    def __init__(self, participant_id: str | None = None) -> None:
        self.leaderboard_id = ""
        self.version = 0
        self.total = 0
        self.entries: list[Entry] = []
        self.final = False
        self._participant_id = participant_id
        self._own: OwnRow | None = None

    @property
    def own(self) -> OwnRow | None:
        """The watching player's rank and score, inside the view or not; None without a row."""
        for entry in self.entries:
            if entry["participantId"] == self._participant_id:
                return {"rank": entry["rank"], "score": entry["score"]}
        return self._own

    def replace(self, copy: Mapping[str, Any]) -> None:
        """Take over a whole copy: the answer to a watch, a snapshot or the final standings."""
        self.leaderboard_id = copy.get("leaderboardId", self.leaderboard_id)
        self.version = copy["version"]
        self.entries = _by_rank(copy["entries"])
        self.total = copy.get("total", self.total)
        if "self" in copy:
            self._own = copy["self"]

    def apply(self, delta: Mapping[str, Any]) -> bool:
        """Apply a delta; False if the copy is not what the server takes it for: watch again then."""
        if delta["since"] != self.version:
            return False
        rows = {entry["participantId"]: entry for entry in self.entries}
        for participant_id in delta["removed"]:
            rows.pop(participant_id, None)
        for entry in delta["entries"]:
            rows[entry["participantId"]] = entry
        self.version = delta["version"]
        self.total = delta["total"]
        self.entries = _by_rank(rows.values())
        return "check" not in delta or delta["check"] == self.check()

    def apply_own(self, push: Mapping[str, Any]) -> None:
        """Take over the watching player's own rank and score."""
        self._own = {"rank": push["rank"], "score": push["score"]}

    def check(self) -> int:
        """The checksum of this copy."""
        return board_check((entry["participantId"], entry["score"]) for entry in self.entries)


def _by_rank(entries: Any) -> list[Entry]:
    return sorted(cast("list[Entry]", entries), key=lambda entry: entry["rank"])
