"""What events pay: bundles of entries, policies that hand them out, and who counts as a winner (R-41..R-44)."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag

from kraty_actors.definitions.base import Model, OneOf, Ref
from kraty_actors.definitions.identity import Keyed
from kraty_actors.definitions.scalars import Bag, Key, MetricName, Number, Whole

MAX_ENTRIES = 64
MAX_WEIGHTED_ENTRIES = 1_000
MAX_TIERS = 1_000
MAX_ROLLED = 1_000
"""The most entries, and the most crates, that one roll of a bundle may come to."""

Chance = Annotated[float, Number(0, 1, above=True)]
BundleRef = Annotated[Key, Ref("bundles")]


class Range(Model):
    """A whole number drawn from min, min + step, ... max; both ends can come up."""

    min: Annotated[int, Whole()] = Field(examples=[1])
    """The smallest."""
    max: Annotated[int, Whole()] = Field(examples=[10])
    """The largest; a whole number of steps above min."""
    step: Annotated[int, Whole(1)] = 1
    """The distance between neighbours."""


def _amount_tag(value: Any) -> str:
    return "<range>" if isinstance(value, dict) else "<fixed>"


Amount: TypeAlias = Annotated[
    Annotated[Annotated[int, Whole(1)], Tag("<fixed>")] | Annotated[Range, Tag("<range>")],
    Discriminator(_amount_tag),
]


class _Entry(Model):
    chance: Chance = 1
    """How likely the entry is to be given, above 0 and at most 1."""


class EntryCurrency(_Entry):
    """An amount of a currency."""

    type: Literal["currency"]
    currency_key: Annotated[Key, Ref("currencies")] = Field(examples=["cash"])
    """The currency."""
    amount: Amount = Field(examples=[100])
    """How much: a whole number of at least 1, or a range."""


class EntryItem(_Entry):
    """A number of an item."""

    type: Literal["item"]
    item_key: Annotated[Key, Ref("items")] = Field(examples=["bullet_basic"])
    """The item."""
    quantity: Amount = 1
    """How many: a whole number of at least 1, or a range."""
    parameters: Bag = Field(default_factory=dict)
    """Any JSON, handed to the game as it is; at most 16 KiB."""


class EntryCrate(_Entry):
    """A number of crates, each of which becomes a grant to be opened."""

    type: Literal["crate"]
    crate_item_key: Annotated[Key, Ref("items")] = Field(examples=["wooden_crate"])
    """An item that has a crateBundleId."""
    quantity: Amount = 1
    """How many: a whole number of at least 1, or a range."""


PlainEntry: TypeAlias = Annotated[EntryCurrency | EntryItem | EntryCrate, OneOf("type")]


class WeightedEntry(Model):
    """One line of a table."""

    weight: Annotated[float, Number(0, above=True)] = Field(examples=[1])
    """Its share of the draws, in proportion to the other weights."""
    entry: PlainEntry = Field(examples=[{"type": "currency", "currencyKey": "cash", "amount": 10}])
    """What the line gives; not another table."""


class EntryTable(_Entry):
    """Draws from weighted lines."""

    type: Literal["table"]
    rolls: Amount = 1
    """How many draws: a whole number of at least 1, or a range."""
    weighted_entries: tuple[WeightedEntry, ...] = Field(
        min_length=1,
        max_length=MAX_WEIGHTED_ENTRIES,
        examples=[[{"weight": 1, "entry": {"type": "currency", "currencyKey": "cash", "amount": 10}}]],
    )
    """The lines."""


Entry: TypeAlias = Annotated[EntryCurrency | EntryItem | EntryCrate | EntryTable, OneOf("type")]
Entries: TypeAlias = Annotated[tuple[Entry, ...], Field(min_length=1, max_length=MAX_ENTRIES)]


class Bundle(Keyed):
    """A named reward."""

    entries: Entries = Field(examples=[[{"type": "currency", "currencyKey": "cash", "amount": 500}]])
    """What it holds, 1 to 64 entries."""


class PredicateMetricAtLeast(Model):
    """The final capped value of a metric reaches a threshold."""

    type: Literal["metric_at_least"]
    metric_key: Annotated[MetricName, Ref("metrics")] = Field(examples=["score"])
    """The metric."""
    threshold: Annotated[float, Number()] = Field(examples=[5])
    """At least this value."""


class PredicateCompleted(Model):
    """The attempt completed."""

    type: Literal["completed"]


class PredicateRankAtMost(Model):
    """The player's final rank is this or better."""

    type: Literal["rank_at_most"]
    rank: Annotated[int, Whole(1)] = Field(examples=[10])
    """The last rank that wins."""


class PredicateAll(Model):
    """Each of them holds."""

    type: Literal["all"]
    conditions: tuple["Predicate", ...] = Field(examples=[[]])
    """The predicates that must hold."""


class PredicateAny(Model):
    """At least one of them holds."""

    type: Literal["any"]
    conditions: tuple["Predicate", ...] = Field(examples=[[]])
    """The predicates of which one must hold."""


class PredicateNot(Model):
    """The other does not hold."""

    type: Literal["not"]
    condition: "Predicate" = Field(examples=[{"type": "completed"}])
    """The predicate that must not hold."""


Predicate: TypeAlias = Annotated[
    PredicateMetricAtLeast | PredicateCompleted | PredicateRankAtMost | PredicateAll | PredicateAny | PredicateNot,
    OneOf("type"),
]


class _NoParameters(Model):
    pass


class RewardPolicyNone(Model):
    """Pays nothing."""

    type: Literal["none"]
    parameters: _NoParameters | None = None
    """Nothing to say."""


class FixedBundleParameters(Model):
    """What `fixed_bundle` pays."""

    reward_bundle_id: BundleRef = Field(examples=["payout"])
    """The bundle."""


class RewardPolicyFixedBundle(Model):
    """One bundle for each completed attempt, at once."""

    type: Literal["fixed_bundle"]
    parameters: FixedBundleParameters = Field(examples=[{"rewardBundleId": "payout"}])
    """What it pays."""


class Tier(Model):
    """The ranks that share a bundle."""

    from_rank: Annotated[int, Whole(1)] = Field(examples=[1])
    """The first rank."""
    to_rank: Annotated[int, Whole(1)] | None = None
    """The last rank; absent: to the end."""
    reward_bundle_id: BundleRef = Field(examples=["payout"])
    """The bundle."""


class RankScaledParameters(Model):
    """What `rank_scaled` pays."""

    tiers: tuple[Tier, ...] = Field(
        min_length=1, max_length=MAX_TIERS, examples=[[{"fromRank": 1, "rewardBundleId": "payout"}]]
    )
    """The tiers, which must not overlap."""


class RewardPolicyRankScaled(Model):
    """A bundle by final rank, at finalization."""

    type: Literal["rank_scaled"]
    parameters: RankScaledParameters = Field(examples=[{"tiers": [{"fromRank": 1, "rewardBundleId": "payout"}]}])
    """What it pays."""


class SharedPoolParameters(Model):
    """What `shared_pool` pays, and to whom."""

    pool: Annotated[int, Whole(1)] = Field(examples=[10_000])
    """How much is split evenly among the winners; the remainder is not paid."""
    currency_key: Annotated[Key, Ref("currencies")] = Field(examples=["cash"])
    """The currency."""
    scope: Literal["window", "board"] = "window"
    """One pool for the window, or one for each board."""
    winner_predicate: Predicate = PredicateCompleted(type="completed")
    """Who wins: any attempt of the player that satisfies it; default `completed`."""


class RewardPolicySharedPool(Model):
    """A pool that is split among the winners when the window closes."""

    type: Literal["shared_pool"]
    parameters: SharedPoolParameters = Field(examples=[{"pool": 10_000, "currencyKey": "cash"}])
    """What it pays, and to whom."""


RewardPolicy: TypeAlias = Annotated[
    RewardPolicyNone | RewardPolicyFixedBundle | RewardPolicyRankScaled | RewardPolicySharedPool, OneOf("type")
]

for _model in (PredicateNot, PredicateAll, PredicateAny):  # they speak of a union that is only known now
    _model.model_rebuild()
