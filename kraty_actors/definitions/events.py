"""An event: what players compete on, when, and what it pays (R-1)."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from kraty_actors.definitions.anti_cheat import AntiCheat, MetricRef
from kraty_actors.definitions.availability import Availability, AvailabilityAlways
from kraty_actors.definitions.base import Model, OneOf, Ref
from kraty_actors.definitions.boards import Leaderboard
from kraty_actors.definitions.bots import BotBinding
from kraty_actors.definitions.conditions import Condition
from kraty_actors.definitions.expressions import MAX_EXPRESSION
from kraty_actors.definitions.identity import Identified, Keyed, the_key
from kraty_actors.definitions.rewards import BundleRef, Entries, RewardPolicy, RewardPolicyNone
from kraty_actors.definitions.scalars import Bag, Flag, Key, MetricKey, Number, Seconds, Text, Whole

MAX_METRICS = 32
MAX_MILESTONES = 256
MAX_COSTS = 32
MAX_BINDINGS = 1_000
MAX_CONTRIBUTIONS = 64

Positive = Annotated[float, Number(0, above=True)]


class ResetOn(Model):
    """What sets a metric back to 0."""

    metric_key: MetricRef = Field(examples=["losses"])
    """A sibling; whenever it goes up, this metric becomes 0 in the same write (R-9)."""


class Metric(Model):
    """A number that is tracked for each attempt (R-6)."""

    key: MetricKey = Field(examples=["score"])
    """Its name: 1 to 64 letters, digits and _, with no digit first."""
    id: Key = Field(default_factory=the_key)
    """Another name for references; default the key."""
    target: Positive | None = None
    """The attempt completes when every metric with a target has reached it; above 0."""
    cap: Positive | None = None
    """The most that counts; above 0, and not below the target."""
    score_per_unit: Annotated[float, Number()] | None = None
    """What one unit adds to the score; default 1, but 0 for a metric that only resets another (R-7)."""
    cap_at_target: Flag = False
    """Whether no more than the target counts; needs a target."""
    reset_on: ResetOn | None = None
    """What sets it back to 0; default nothing."""

    @property
    def ceiling(self) -> float | None:
        """The most that counts, None without a limit: min(cap, target if capAtTarget) (R-6)."""
        limits = [self.cap, self.target if self.cap_at_target else None]
        return min((limit for limit in limits if limit is not None), default=None)


class AttemptRules(Model):
    """How long an attempt lasts and how often a player may make one (R-12, R-17)."""

    duration_seconds: Seconds | None = None
    """From its start; default to the window's end."""
    replayable_during_window: Flag = False
    """Whether a new attempt may follow one that ended."""
    max_attempts: Annotated[int, Whole(1)] | None = None
    """Attempts of a player in a window; default no limit."""
    max_daily_attempts: Annotated[int, Whole(1)] | None = None
    """Attempts of a player in a day of the event's time zone; default no limit."""


class PlainFormula(Model):
    """A score from capped x scorePerUnit: their sum, the best one, or their product (R-10)."""

    type: Literal["linear", "best_metric", "product"] = "linear"


class ExpressionFormula(Model):
    """A score from arithmetic over capped values (R-10)."""

    type: Literal["expression"]
    expression: Annotated[str, Text(MAX_EXPRESSION)] = Field(examples=["streak * 10 - losses"])
    """+ - * / with unary minus, brackets, min, max, abs and floor; at most 512 characters and 64 nodes."""


ScoreFormula: TypeAlias = Annotated[PlainFormula | ExpressionFormula, OneOf("type", default="linear")]


class CurrencyCost(Model):
    """A price in a currency."""

    key: Annotated[Key, Ref("currencies")] = Field(examples=["cash"])
    """The currency."""
    amount: Annotated[int, Whole(1)] = Field(examples=[50])
    """How much."""


class ItemCost(Model):
    """A price in items."""

    key: Annotated[Key, Ref("items")] = Field(examples=["bullet_basic"])
    """The item."""
    quantity: Annotated[int, Whole(1)] = Field(examples=[1])
    """How many."""


class EntryCost(Model):
    """What a start takes from wallet and inventory, all or nothing (R-20, R-21)."""

    currencies: Annotated[tuple[CurrencyCost, ...], Field(max_length=MAX_COSTS)] = ()
    """Currencies, each at most once."""
    items: Annotated[tuple[ItemCost, ...], Field(max_length=MAX_COSTS)] = ()
    """Items, each at most once."""
    charge_per: Literal["window", "attempt"] = "window"
    """Once a window, or again for each replay."""


class Milestone(Identified):
    """A payout the first time that a metric reaches a threshold within an attempt (R-44)."""

    metric_key: MetricRef = Field(examples=["score"])
    """The metric, capped."""
    threshold: Positive = Field(examples=[3])
    """The value to reach, above 0."""
    reward_bundle_id: BundleRef | None = None
    """What it pays: a bundle, or `entries`, not both."""
    entries: Entries | None = None
    """What it pays, 1 to 64 entries as in a bundle."""
    once: Literal["attempt", "window"] = "attempt"
    """Once an attempt, or once a window whatever the replays."""


class EventDefinition(Keyed):
    """An event. Only `key` and one metric are required (R-1)."""

    state: Literal["draft"] | None = None
    """Only "draft": not published when first seen."""
    metrics: tuple[Metric, ...] = Field(min_length=1, max_length=MAX_METRICS, examples=[[{"key": "score"}]])
    """What is tracked, 1 to 32; the first is the primary one."""
    type: Literal["single_metric", "multi_metric"] = Field(
        default_factory=lambda data: "multi_metric" if len(data.get("metrics", ())) > 1 else "single_metric"
    )
    """Must agree with the number of metrics; default by it (R-4)."""
    availability: Availability = AvailabilityAlways(mode="always")
    """When it runs; default always."""
    attempt: AttemptRules = AttemptRules()
    """How long an attempt lasts and how often one may be made."""
    score_formula: ScoreFormula = PlainFormula()
    """How metrics make the score; default linear."""
    leaderboard: Leaderboard = Leaderboard()
    """How players are ranked; default one global board."""
    contributes_to: Annotated[
        tuple[Key, ...], Field(max_length=MAX_CONTRIBUTIONS), Ref("leaderboards", optional=True)
    ] = ()
    """Shared boards that every write goes to as well, in this order; named twice counts once."""
    bot_bindings: Annotated[tuple[BotBinding, ...], Field(max_length=MAX_BINDINGS)] = ()
    """The bots of every board of the event, at most 1000 in all."""
    reward_policy: RewardPolicy = RewardPolicyNone(type="none")
    """Who gets what in the end; default nothing."""
    milestone_rewards: Annotated[tuple[Milestone, ...], Field(max_length=MAX_MILESTONES)] = ()
    """Payouts on the way."""
    unlock_condition: Condition | None = None
    """Hidden and closed to a player unless it holds."""
    entry_requirement: Condition | None = None
    """Shown, but closed to a player unless it holds."""
    entry_cost: EntryCost | None = None
    """What a start costs; default nothing."""
    anti_cheat: AntiCheat = AntiCheat()
    """What every write is checked against; default nothing."""
    metadata: Bag = Field(default_factory=dict)
    """Any JSON, shown to clients as it is; at most 16 KiB."""
    schedule_ahead_days: Annotated[int, Whole(1, 365)] | None = None
    """How far ahead windows are planned, 1 to 365 days; default `settings.scheduleAheadDays`."""

    @property
    def primary_metric(self) -> Metric:
        """The metric that `metricValue` alone means (R-8)."""
        return self.metrics[0]

    @property
    def largest_target(self) -> float | None:
        """What bots aim for unless told otherwise; None for a score attack (R-37)."""
        return max((m.target for m in self.metrics if m.target is not None), default=None)

    @property
    def is_score_attack(self) -> bool:
        """No metric has a target, so no attempt completes by itself (R-11)."""
        return self.largest_target is None

    @property
    def bot_count(self) -> int:
        """Bots on every board of the event."""
        return sum(binding.count for binding in self.bot_bindings)

    @property
    def human_seats(self) -> int | None:
        """Seats for players on each board: capacity less bots; None where there is no capacity (R-30)."""
        seats = self.leaderboard.seats
        return None if seats is None else seats - self.bot_count

    def score_per_unit(self, metric: Metric) -> float:
        """What one unit of a metric adds to the score: 1 unless said, 0 for a mere reset trigger (R-7)."""
        if metric.score_per_unit is not None:
            return metric.score_per_unit
        is_trigger = any(m.reset_on and m.reset_on.metric_key == metric.key for m in self.metrics)
        return 0 if is_trigger and metric.target is None and metric.cap is None else 1
