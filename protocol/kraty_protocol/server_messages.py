"""What the operations of a game's own servers take: players, money and lobbies."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from kraty_protocol.fields import (
    Bag,
    Document,
    Fields,
    ForPlayer,
    Id,
    Key,
    PlayerId,
    Positive,
    Scalar,
    Text,
    Whole,
    each_once,
)
from kraty_protocol.limits import ATTRIBUTES, GRANT_ENTRIES, LOBBY_SEATS


class PlayersPut(ForPlayer):
    """Attributes that conditions and placement read, merged into what stands (R-19, R-30).

    Attributes:
        attributes: At most 64 by name (1..64 characters); null takes one away.
        name, avatar, country: What boards show of the player; left out, it stays.
    """

    attributes: Annotated[dict[Id, Scalar | None], Field(max_length=ATTRIBUTES)]
    name: Text | None = None
    avatar: Text | None = None
    country: Text | None = None


class _Change(ForPlayer):
    """A change of what a player has, made once per `idempotencyKey` (R-40)."""

    key: Key
    reason: Text
    idempotency_key: Id


class WalletChange(_Change):
    """`wallet.credit` and `wallet.debit` of one currency."""

    amount: Positive


class InventoryChange(_Change):
    """`inventory.grant` and `inventory.revoke` of one item."""

    quantity: Positive


class GrantsCreate(ForPlayer):
    """A grant that the game's servers give, once per `idempotencyKey` (R-41, R-45).

    Attributes:
        entries: What is in it, 1..64 entries of a bundle; chance in them is rolled at once.
    """

    entries: Annotated[list[Document], Field(min_length=1, max_length=GRANT_ENTRIES)]
    idempotency_key: Id


class PlayersBan(ForPlayer):
    """`players.ban` and `players.unban` (R-51)."""

    reason: Text | None = None


class LobbiesPush(Fields):
    """A lobby that the game's own matchmaker has put together (R-31); the same `key` again is the same lobby.

    Attributes:
        player_ids: Its members, 1..1000, each once.
        capacity: 2..1000 seats, bots included; by default the event's.
    """

    event_key: Key
    key: Key
    player_ids: Annotated[list[PlayerId], Field(min_length=1, max_length=LOBBY_SEATS)]
    capacity: Annotated[Whole, Field(ge=2, le=LOBBY_SEATS)] | None = None
    metadata: Bag = Field(default_factory=dict)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        each_once("playerIds", self.player_ids)
        return self
