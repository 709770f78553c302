"""One simulated player: who they are, and how far they have come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kraty_actors.domain.attempt import AttemptView, Written
from kraty_actors.domain.conditions import Facts, Scalar
from kraty_actors.domain.ids import split_attempt
from kraty_actors.domain.numbers import Number
from kraty_actors.domain.outcome import Plain
from kraty_actors.simulation.dice import Dice
from kraty_actors.simulation.scenario import Scenario
from kraty_actors.simulation.strategies import Seen


@dataclass(slots=True)
class Guest:
    """See the module. `contest` and `serial` name the running attempt; `seq` is that of its last write; `asked_at` is
    when they asked to start and were told to wait."""

    number: int
    dice: Dice
    skill: float
    temper: float
    can_pay: bool
    attributes: Mapping[str, Scalar]
    facts: dict[str, Plain]
    contest: str = ""
    serial: int = 0
    ends_at: int | None = None
    is_playing: bool = False
    is_gone: bool = False
    asked_at: int | None = None
    seq: int = 0
    attempts: int = 0
    completed: int = 0
    moves: int = 0
    writes: int = 0
    values: Mapping[str, Number] = field(default_factory=dict)
    score: Number = 0
    rank: int | None = None
    refused: str | None = None

    @classmethod
    def of(cls, scenario: Scenario, number: int, seed: int) -> Guest:
        """A player, as chance has it."""
        dice = Dice(seed, f"player {number}")
        skill = (dice.unit() + dice.unit()) / 2
        temper = dice.unit()
        can_pay = dice.chance(scenario.population.afford)
        attributes = {name: dice.one_of(values) for name, values in scenario.population.attributes.items()}
        facts = Facts(attributes=attributes).record()
        return cls(number, dice, skill, temper, can_pay, attributes, facts)

    def begins(self, attempt: AttemptView) -> None:
        """An attempt of theirs has started."""
        self.contest, self.serial = split_attempt(attempt.attempt_id) or ("", 0)
        self.ends_at = attempt.ends_at
        self.is_playing, self.asked_at = True, None
        self.attempts += 1
        self.seq = self.writes = 0
        self.values, self.score, self.rank = attempt.metrics, attempt.score, attempt.rank
        self.refused = None

    def wrote(self, written: Written) -> None:
        """A write of theirs was applied."""
        self.writes += 1
        self.values, self.score, self.rank = written.metrics, written.score, written.rank
        self.refused = None

    def ended(self, attempt: AttemptView) -> None:
        """Their attempt is over."""
        self.is_playing = False
        self.completed += attempt.completed_at is not None

    def sees(self, scenario: Scenario, now: int, window_ends_at: int) -> Seen:
        """What they know before their next move."""
        begins_at = scenario.span.starts_at
        ends_at = window_ends_at if not self.is_playing or self.ends_at is None else self.ends_at
        is_playing = self.is_playing
        return Seen(
            scenario.event,
            self.number,
            self.skill,
            self.temper,
            (now - begins_at) / 1000,
            scenario.length,
            max(0, ends_at - now) / 1000,
            self.attempts,
            self.completed,
            is_playing,
            self.writes if is_playing else 0,
            self.values if is_playing else {},
            self.score if is_playing else 0,
            self.rank if is_playing else None,
            self.refused if is_playing else None,
        )
