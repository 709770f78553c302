"""The calls of a game's own servers: players, money and lobbies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from kraty_actors.client.asking import Asking
from kraty_protocol.shapes import GrantCreated, InventoryChanged, Lobby, Player, WalletChanged


class ServerCalls:
    """What needs a server's or an operator's token; each call names the player that it is about.

    What changes money or items takes an `idempotency_key`: the same one again changes nothing, and a call
    that was cut off is sent again by itself.
    """

    def __init__(self, asking: Asking) -> None:
        self._ask = asking.ask

    async def player(self, player_id: str) -> Player:
        """A player's profile and attributes."""
        return cast("Player", (await self._ask("players.get", playerId=player_id))["player"])

    async def put_player(
        self,
        player_id: str,
        attributes: Mapping[str, str | bool | float | None],
        *,
        name: str | None = None,
        avatar: str | None = None,
        country: str | None = None,
    ) -> Player:
        """Lay attributes over those that stand, and change the profile where it is given.

        Args:
            attributes: At most 64; None takes one away.
        """
        profile = {"name": name, "avatar": avatar, "country": country}
        ok = await self._ask("players.put", playerId=player_id, attributes=dict(attributes), **profile)
        return cast("Player", ok["player"])

    async def ban(self, player_id: str, reason: str | None = None) -> Player:
        """Shut a player out: off the open boards, and off the line."""
        return cast("Player", (await self._ask("players.ban", playerId=player_id, reason=reason))["player"])

    async def unban(self, player_id: str, reason: str | None = None) -> Player:
        """Let a player in again, with the scores that there were."""
        return cast("Player", (await self._ask("players.unban", playerId=player_id, reason=reason))["player"])

    async def credit(
        self, player_id: str, key: str, amount: int, *, reason: str, idempotency_key: str
    ) -> WalletChanged:
        """Put an amount of a currency into a wallet."""
        ok = await self._change("wallet.credit", player_id, key, reason, idempotency_key, amount=amount)
        return cast("WalletChanged", ok)

    async def debit(self, player_id: str, key: str, amount: int, *, reason: str, idempotency_key: str) -> WalletChanged:
        """Take an amount of a currency out of a wallet; `conflict` if there is less."""
        ok = await self._change("wallet.debit", player_id, key, reason, idempotency_key, amount=amount)
        return cast("WalletChanged", ok)

    async def grant_items(
        self, player_id: str, key: str, quantity: int, *, reason: str, idempotency_key: str
    ) -> InventoryChanged:
        """Put items into an inventory."""
        ok = await self._change("inventory.grant", player_id, key, reason, idempotency_key, quantity=quantity)
        return cast("InventoryChanged", ok)

    async def revoke_items(
        self, player_id: str, key: str, quantity: int, *, reason: str, idempotency_key: str
    ) -> InventoryChanged:
        """Take items out of an inventory; `conflict` if there are fewer."""
        ok = await self._change("inventory.revoke", player_id, key, reason, idempotency_key, quantity=quantity)
        return cast("InventoryChanged", ok)

    async def _change(
        self, op: str, player_id: str, key: str, reason: str, idempotency_key: str, **count: int
    ) -> dict[str, Any]:
        return await self._ask(op, playerId=player_id, key=key, reason=reason, idempotencyKey=idempotency_key, **count)

    async def create_grant(
        self, player_id: str, entries: Iterable[Mapping[str, Any]], *, idempotency_key: str
    ) -> GrantCreated:
        """Give a player something to claim.

        Args:
            entries: As those of a bundle; chance in them is rolled by the server.
        """
        fields = {"entries": list(entries), "idempotencyKey": idempotency_key}
        return cast("GrantCreated", await self._ask("grants.create", playerId=player_id, **fields))

    async def push_lobby(
        self,
        event_key: str,
        key: str,
        player_ids: Iterable[str],
        *,
        capacity: int | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Lobby:
        """Start a lobby that the game's own matchmaker has put together; the same `key` is the same lobby."""
        ok = await self._ask(
            "lobbies.push",
            eventKey=event_key,
            key=key,
            playerIds=list(player_ids),
            capacity=capacity,
            metadata=metadata,
        )
        return cast("Lobby", ok["lobby"])
