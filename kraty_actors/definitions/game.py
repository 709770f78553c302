"""The game file: everything that an operator defines, in one document."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import Field

from kraty_actors.definitions.availability import AvailabilityRecurring
from kraty_actors.definitions.base import Model, Ref
from kraty_actors.definitions.boards import FillStrategy, SharedBoard
from kraty_actors.definitions.bots import BotDefinition
from kraty_actors.definitions.events import EventDefinition
from kraty_actors.definitions.identity import Identified, Keyed
from kraty_actors.definitions.rewards import Bundle, BundleRef
from kraty_actors.definitions.scalars import Flag, Key, Name, Seconds, ShortText, Text, Whole, Zone

Many = Field(max_length=10_000)

Occurrence: TypeAlias = Literal[
    "event.window_opened",
    "event.window_closed",
    "event.finalized",
    "event.attempt_completed",
    "event.attempt_flagged",
    "attempt.voided",
    "lobby.created",
    "lobby.started",
    "lobby.closed",
    "grant.created",
    "grant.claimed",
    "grant.expired",
    "wallet.changed",
    "inventory.changed",
    "board.period_closed",
    "player.banned",
    "player.unbanned",
]

D = TypeVar("D", bound=Identified)


def _named(definitions: Sequence[D], name: str) -> D | None:
    return next((definition for definition in definitions if name in (definition.key, definition.id)), None)


class IdentityPool(Identified):
    """Names, avatars and countries for bots."""

    names: Annotated[tuple[Name, ...], Many] = Field(min_length=1, examples=[["Ada", "Grace"]])
    """Names, at least one."""
    avatars: Annotated[tuple[ShortText, ...], Many] = ()
    """Avatars; default none."""
    countries: Annotated[tuple[ShortText, ...], Many] = ()
    """Countries; default none."""


class LobbySettings(Model):
    """What lobbies do unless their event says otherwise (R-31)."""

    fill_timeout_seconds: Seconds = 30
    """How long a lobby waits for players."""
    fill_strategy: FillStrategy = "start_short"
    """What happens then."""


class GrantSettings(Model):
    """How grants reach players (R-45)."""

    delivery: Literal["claim", "auto"] = "claim"
    """Claimed by the player, or credited at once."""
    ttl_days: Annotated[int, Whole(1, 36_500)] | None = None
    """Days until an unclaimed grant expires; default never."""


class LimitSettings(Model):
    """What one connection may ask of the server."""

    requests_per_second: Annotated[int, Whole(1)] = 2_000
    """Requests per second of one connection in the long run."""
    burst: Annotated[int, Whole(1)] = 4_000
    """Requests that may come at once."""
    connections_per_address: Annotated[int, Whole(1)] | None = None
    """Connections of one address; default no limit."""
    watches_per_connection: Annotated[int, Whole(1)] = 64
    """Boards that one connection may watch."""
    deltas_per_second: Annotated[int, Whole(1)] = 10
    """Pushes per second of one watched board."""


class Settings(Model):
    """What holds for the whole game."""

    seed: Annotated[int, Whole(-(2**53 - 1))] | None = None
    """The root of all chance; default drawn once and kept secret (R-36)."""
    timezone: Zone = "UTC"
    """The zone of events that name none."""
    schedule_ahead_days: Annotated[int, Whole(1, 365)] = 7
    """How far ahead windows are planned, 1 to 365 days (R-24)."""
    bot_tick_seconds: Annotated[int, Whole(1, 60)] = 5
    """The grid on which time-driven bots move, 1 to 60 seconds (R-38)."""
    identity_pools: Annotated[tuple[IdentityPool, ...], Many] = ()
    """Pools of names for bots."""
    default_identity_pool: Annotated[Key, Ref("identityPools")] | None = None
    """The pool of bots that name none; default "Bot 1", "Bot 2", ... by seat."""
    lobby: LobbySettings = LobbySettings()
    """What lobbies do unless their event says otherwise."""
    grants: GrantSettings = GrantSettings()
    """How grants reach players."""
    profile: Literal["server", "client"] = "server"
    """Who sets a player's name and avatar: servers, or the players themselves."""
    limits: LimitSettings = LimitSettings()
    """What one connection may ask of the server."""


class Currency(Keyed):
    """Something that wallets hold (R-40)."""

    kind: Literal["currency", "progression"] = "currency"
    """Money, or a measure of progress such as experience."""


class Item(Keyed):
    """Something that inventories hold (R-40)."""

    crate_bundle_id: BundleRef | None = None
    """Makes it a crate: the bundle that opening it gives (R-41)."""


class Webhook(Identified):
    """An endpoint of the game's own that is told what happens (R-52)."""

    url: Annotated[str, Text(2_048, r"https?://[^\s/]\S*", "an http or https address")] = Field(
        examples=["https://game.example/hooks"]
    )
    """Where to."""
    secret: Annotated[str, Text(1_024)] | None = Field(default=None, repr=False)
    """What signs each body; this or secretEnv is required."""
    secret_env: Annotated[str, Text(256)] | None = None
    """The environment variable that holds the secret."""
    events: tuple[Occurrence, ...] | None = None
    """What it is told; default everything."""
    enabled: Flag = True
    """Whether it is told anything."""


class GameFile(Model):
    """A game: its economy, its bots, its shared boards and its events."""

    game_id: Key = Field(examples=["arena"])
    """The game's name; a database belongs to one."""
    settings: Settings = Settings()
    """What holds for the whole game."""
    currencies: Annotated[tuple[Currency, ...], Many] = ()
    """What wallets hold."""
    items: Annotated[tuple[Item, ...], Many] = ()
    """What inventories hold."""
    bundles: Annotated[tuple[Bundle, ...], Many] = ()
    """Named rewards."""
    bots: Annotated[tuple[BotDefinition, ...], Many] = ()
    """The bots that events can seat."""
    leaderboards: Annotated[tuple[SharedBoard, ...], Many] = ()
    """Shared boards."""
    webhooks: Annotated[tuple[Webhook, ...], Many] = ()
    """Endpoints that are told what happens."""
    events: Annotated[tuple[EventDefinition, ...], Many] = ()
    """The events."""
    schema_address: Annotated[str, Text(2_048)] | None = Field(default=None, alias="$schema", exclude=True)
    """Where an editor finds the JSON Schema of this file; no part of the game."""

    def event(self, name: str) -> EventDefinition | None:
        """The event of that key or id."""
        return _named(self.events, name)

    def bot(self, name: str) -> BotDefinition | None:
        """The bot of that key or id."""
        return _named(self.bots, name)

    def bundle(self, name: str) -> Bundle | None:
        """The bundle of that key or id."""
        return _named(self.bundles, name)

    def shared_board(self, name: str) -> SharedBoard | None:
        """The shared board of that key or id."""
        return _named(self.leaderboards, name)

    def timezone_of(self, event: EventDefinition) -> str:
        """The event's time zone: its own, else the game's."""
        match event.availability:
            case AvailabilityRecurring(timezone=str(zone)):
                return zone
            case _:
                return self.settings.timezone

    def schedule_ahead_days_of(self, event: EventDefinition) -> int:
        """How far ahead the event's windows are planned, in days (R-24)."""
        return event.schedule_ahead_days or self.settings.schedule_ahead_days

    def lobby_rules_of(self, event: EventDefinition) -> LobbySettings:
        """How the event's lobbies fill: its own rules, else the game's (R-31)."""
        own, common = event.leaderboard, self.settings.lobby
        return common.model_copy(
            update={
                "fill_timeout_seconds": own.fill_timeout_seconds or common.fill_timeout_seconds,
                "fill_strategy": own.fill_strategy or common.fill_strategy,
            }
        )
