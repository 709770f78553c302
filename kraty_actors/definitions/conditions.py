"""Conditions that open an event to a player: a tree of at most 8 levels and 64 nodes (R-19)."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from kraty_actors.definitions.base import Model, OneOf, Ref
from kraty_actors.definitions.scalars import Key, Number, ShortText, Whole

MAX_LEVELS = 8
MAX_NODES = 64


class ConditionNot(Model):
    """Holds when the other does not."""

    type: Literal["not"]
    condition: "Condition" = Field(examples=[{"type": "all", "conditions": []}])
    """The condition that must not hold."""


class ConditionAll(Model):
    """Holds when each of them does; an empty list holds."""

    type: Literal["all"]
    conditions: tuple["Condition", ...] = Field(examples=[[]])
    """The conditions that must hold."""


class ConditionAny(Model):
    """Holds when at least one of them does; an empty list never holds."""

    type: Literal["any"]
    conditions: tuple["Condition", ...] = Field(examples=[[]])
    """The conditions of which one must hold."""


class ConditionCompletedEvent(Model):
    """Holds when the player has a completed attempt in an event."""

    type: Literal["completed_event_at_least_once"]
    event_key: Annotated[Key, Ref("events", optional=True)] = Field(examples=["tutorial"])
    """The event, which may be the one that asks. A missing one is false."""
    within: Literal["lifetime", "current_window"] = "lifetime"
    """In any window ever, or only in that event's shared window that is current."""


class ConditionOwnsItem(Model):
    """Holds when the player has that many of an item."""

    type: Literal["owns_item"]
    item_key: Annotated[Key, Ref("items")] = Field(examples=["key_of_gold"])
    """The item."""
    quantity: Annotated[int, Whole(1)] = 1
    """At least so many."""


class ConditionHasCurrency(Model):
    """Holds when the player's balance reaches an amount."""

    type: Literal["has_currency"]
    currency_key: Annotated[Key, Ref("currencies")] = Field(examples=["cash"])
    """The currency."""
    amount: Annotated[int, Whole(1)] = 1
    """At least so much."""


class ConditionPlayerAttribute(Model):
    """Compares an attribute that the game's servers set on the player."""

    type: Literal["player_attribute"]
    key: ShortText = Field(examples=["country"])
    """The attribute."""
    op: Literal["eq", "ne", "lt", "lte", "gt", "gte", "in", "exists"] = Field(examples=["exists"])
    """How to compare. Without the attribute only ne holds; text, numbers and booleans are never equal."""
    value: Any = None
    """A scalar for eq and ne, a number for lt, lte, gt and gte, a list of scalars for in, nothing for exists."""


class ConditionScoreAtLeast(Model):
    """Holds when the player's score on a shared board reaches a value."""

    type: Literal["score_at_least"]
    board_key: Annotated[Key, Ref("leaderboards", optional=True)] = Field(examples=["weekly_global"])
    """The shared board. A missing one is false."""
    score: Annotated[float, Number()] = Field(examples=[100])
    """At least this score."""


Condition: TypeAlias = Annotated[
    ConditionNot
    | ConditionAll
    | ConditionAny
    | ConditionCompletedEvent
    | ConditionOwnsItem
    | ConditionHasCurrency
    | ConditionPlayerAttribute
    | ConditionScoreAtLeast,
    OneOf("type"),
]

for _model in (ConditionNot, ConditionAll, ConditionAny):  # they speak of a union that is only known now
    _model.model_rebuild()
