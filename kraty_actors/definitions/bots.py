"""Bots: who they are and how they play (R-35..R-38)."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, GetCoreSchemaHandler, ValidationInfo, field_validator
from pydantic_core import CoreSchema, core_schema

from kraty_actors.definitions.base import Model, OneOf, Reading, Ref
from kraty_actors.definitions.blocks import PARAMS, BlockName, BlockParams
from kraty_actors.definitions.expressions import MAX_EXPRESSION
from kraty_actors.definitions.identity import Keyed
from kraty_actors.definitions.scalars import Key, Name, ShortText, Text, Whole

MAX_STEPS = 64
MAX_STATES = 64
MAX_NAMES = 10_000
MAX_BOTS_PER_BOARD = 1_000
PoolRef = Annotated[Key, Ref("identityPools")]


class _ParamsOfBlock:
    """The parameters of whichever block stands beside them."""

    def __get_pydantic_core_schema__(self, _source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        choices = {f"<{name}>": handler.generate_schema(params) for name, params in PARAMS.items()}
        return core_schema.tagged_union_schema(
            choices,
            lambda params: getattr(params, "tag", None),
            custom_error_type="object",
            custom_error_message="must be an object",
            serialization=core_schema.simple_ser_schema("any"),
        )


class _Params(dict[str, Any]):
    """Raw parameters that know their block."""

    def __init__(self, params: dict[str, Any], block: str) -> None:
        super().__init__(params)
        self.tag = f"<{block}>"


class Step(Model):
    """A block with its parameters."""

    block: BlockName = Field(examples=["idle"])
    """What the bot does."""
    params: Annotated[BlockParams, _ParamsOfBlock()] = Field(default_factory=dict, validate_default=True)
    """The block's parameters."""

    @field_validator("params", mode="before")
    @classmethod
    def _know_the_block(cls, params: Any, info: ValidationInfo) -> Any:
        if "block" not in info.data:  # a fault of its own: of its parameters nothing can be said
            return _Params({}, "idle")
        if not isinstance(params, dict):
            return params
        if isinstance(info.context, Reading):
            info.context.models[id(params)] = PARAMS[info.data["block"]]
        return _Params(params, info.data["block"])


class When(Model):
    """When a transition is taken."""

    expr: Annotated[str, Text(MAX_EXPRESSION)] = Field(examples=["stateSeconds >= 120"])
    """A comparison over elapsedSeconds, remainingSeconds, stateSeconds, ticks, score, rank, leaderScore, target."""


class Transition(Model):
    """A way out of a state."""

    when: When = Field(examples=[{"expr": "stateSeconds >= 120"}])
    """When it is taken."""
    to: ShortText = Field(examples=["burst"])
    """The state to enter."""


class State(Step):
    """A state of a machine: a block, and the ways out."""

    transitions: Annotated[tuple[Transition, ...], Field(max_length=MAX_STATES)] = ()
    """Tried in order after each tick; the first that holds is taken."""


class BehaviourSingle(Step):
    """One block for ever."""

    type: Literal["single"] = "single"


class BehaviourSequence(Model):
    """One block after another."""

    type: Literal["sequence"]
    steps: tuple[Step, ...] = Field(min_length=1, max_length=MAX_STEPS, examples=[[{"block": "idle"}]])
    """1 to 64 steps; only the last may be one that never ends."""


class BehaviourStateMachine(Model):
    """Blocks with transitions between them."""

    type: Literal["state_machine"]
    initial: ShortText = Field(examples=["stalk"])
    """The state to begin in."""
    states: dict[ShortText, State] = Field(min_length=1, max_length=MAX_STATES, examples=[{"stalk": {"block": "idle"}}])
    """The states by name, 1 to 64."""


Behaviour: TypeAlias = Annotated[
    BehaviourSingle | BehaviourSequence | BehaviourStateMachine, OneOf("type", default="single")
]


class BotDefinition(Keyed):
    """A bot that events can seat."""

    names: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_NAMES)] | None = None
    """Names to choose from; an identity pool, if there is one, goes before them."""
    identity_pool: PoolRef | None = None
    """Where names, avatars and countries come from; default `settings.defaultIdentityPool`."""
    avatar: ShortText | None = None
    """The avatar of all its seats."""
    country: ShortText | None = None
    """The country of all its seats."""
    behaviour: Behaviour = Field(examples=[{"block": "random_step_with_fall"}])
    """How it plays; `behavior` is the same field."""

    def steps(self) -> Iterator[Step]:
        """Every block that it may run, in the order of definition."""
        match self.behaviour:
            case BehaviourSequence(steps=steps):
                yield from steps
            case BehaviourStateMachine(states=states):
                yield from states.values()
            case BehaviourSingle() as only:
                yield only


class BotBinding(Model):
    """So many seats of a bot on every board of an event."""

    bot_id: Annotated[Key, Ref("bots")] = Field(examples=["climber"])
    """The bot."""
    count: Annotated[int, Whole(1, MAX_BOTS_PER_BOARD)] = 1
    """How many seats, 1 to 1000."""
    identity_pool: PoolRef | None = None
    """Instead of the bot's own."""
