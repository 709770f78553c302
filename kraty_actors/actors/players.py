"""Who the player numbers are (R-57): rows of the store, kept in memory once they were looked up."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable, Mapping

from kraty_actors.actors.records import pack
from kraty_actors.domain.conditions import Scalar
from kraty_actors.domain.outcome import Refusal
from kraty_persistence import AuditEntry, PlayerRow, Store

ATTRIBUTES_MAX = 64
"""Attributes of one player."""


def new_participant_id() -> str:
    """Opaque and unguessable, so that strangers see no platform ids (R-28)."""
    return "p" + base64.b32encode(secrets.token_bytes(10)).decode().lower()


class Players:
    """The players that somebody asked for since the start."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_number: dict[int, PlayerRow] = {}
        self._by_id: dict[str, PlayerRow] = {}
        self._attributes: dict[int, tuple[bytes, dict[str, Scalar]]] = {}

    def known(self, player_id: str) -> PlayerRow | None:
        """The player, if already in memory."""
        return self._by_id.get(player_id)

    async def resolve(self, player_id: str) -> PlayerRow:
        """The player's row; a new player gets one, durable on return."""
        row = await self.find(player_id)  # a read, which works while nothing can be written
        return row or self.keep(await self._store.resolve(player_id, new_participant_id))

    async def find(self, player_id: str) -> PlayerRow | None:
        """The player's row, or None for one who was never here."""
        row = self._by_id.get(player_id) or await self._store.find_player(player_id)
        return None if row is None else self.keep(row)

    async def participant(self, participant_id: str) -> PlayerRow | None:
        row = await self._store.find_participant(participant_id)
        return None if row is None else self.keep(row)

    async def set_profile(self, row: PlayerRow, name: str | None, avatar: str | None, country: str | None) -> PlayerRow:
        """Take over what a token or a server says of the player, where it differs."""
        name, avatar, country = name or None, avatar or None, country or None
        if row.changed(name=name, avatar=avatar, country=country) == row:
            return row
        return self.keep(await self._store.put_player(row.number, name=name, avatar=avatar, country=country))

    def attributes(self, row: PlayerRow) -> Mapping[str, Scalar]:
        """What the game's servers say of a player (R-19)."""
        newest = self._by_number.get(row.number, row)
        kept = self._attributes.get(row.number)
        if kept is None or kept[0] != newest.attributes:
            plain: dict[str, Scalar] = json.loads(newest.attributes) if newest.attributes else {}
            kept = self._attributes[row.number] = newest.attributes, plain
        return kept[1]

    async def put(
        self,
        row: PlayerRow,
        attributes: Mapping[str, Scalar | None],
        name: str | None,
        avatar: str | None,
        country: str | None,
        *,
        who: str,
        now: int,
    ) -> PlayerRow | Refusal:
        """Merge attributes into what stands, None takes one away; what boards show of the player as `set_profile`.

        The attributes that change leave an audit row. What names a person does not: it stands in one place only, so
        that it can be erased (R-57).
        """
        standing = self.attributes(row)
        merged = {**standing, **attributes}
        kept = {key: value for key, value in merged.items() if value is not None}
        if len(kept) > ATTRIBUTES_MAX:
            message = f"a player has at most {ATTRIBUTES_MAX} attributes"
            return Refusal("validation_failed", message, {"path": "attributes"})
        written = json.dumps(kept, separators=(",", ":")).encode() if kept else b""
        put = await self._store.put_player(
            row.number,
            attributes=written,
            name=name or None,
            avatar=avatar or None,
            country=country or None,
            audited=_audited(row, standing, attributes, who, now),
        )
        return self.keep(put)

    def missing(self, numbers: Iterable[int]) -> list[int]:
        """Those of `numbers` that `names` would not find."""
        return [number for number in numbers if number > 0 and number not in self._by_number]

    def row(self, number: int) -> PlayerRow:
        """A player whom `fetch` has brought.

        Raises:
            KeyError: It has not.
        """
        return self._by_number[number]

    async def fetch(self, numbers: list[int]) -> None:
        """Bring rows into memory."""
        for row in await self._store.players(numbers):
            self.keep(row)

    def keep(self, row: PlayerRow) -> PlayerRow:
        """Take a row over as it stands in the store now."""
        self._by_number[row.number] = row
        self._by_id[row.player_id] = row
        return row


def _audited(
    row: PlayerRow, standing: Mapping[str, Scalar], put: Mapping[str, Scalar | None], who: str, now: int
) -> AuditEntry:
    before = {key: standing.get(key) for key in put}
    return AuditEntry(now, who, "players.put", f"player:{row.number}", pack(before), pack(dict(put)))
