"""Whether what a simulation pays stays within a budget."""

from __future__ import annotations

from dataclasses import dataclass

from kraty_actors.domain.numbers import Number
from kraty_actors.simulation.figures import Simulation, quantile
from kraty_actors.simulation.summary import written


@dataclass(slots=True, frozen=True)
class Budget:
    """No more of a currency (or an item) than `amount` is to be paid, in so many `percent` of the runs."""

    key: str
    amount: int
    percent: float = 95


@dataclass(slots=True, frozen=True)
class Judged:
    """A budget, and the payout that it is about."""

    budget: Budget
    paid: Number

    @property
    def is_over(self) -> bool:
        return self.paid > self.budget.amount

    def __str__(self) -> str:
        budget = self.budget
        payout = f"p{written(budget.percent)} of what is paid is {written(self.paid)}"
        if not self.is_over:
            return f"within budget: {budget.key}: {payout} of {written(budget.amount)}"
        over = self.paid - budget.amount
        share = f" ({written(round(over / budget.amount * 100, 1))} %)" if budget.amount else ""
        return f"over budget: {budget.key}: {payout}, {written(over)}{share} over {written(budget.amount)}"


def judged(made: Simulation, budget: Budget) -> Judged:
    """Compare.

    Raises:
        LookupError: The game has no such currency or item.
    """
    payout = made.payout(budget.key)
    if payout is None:
        raise LookupError(budget.key)
    return Judged(budget, quantile(sorted(payout.paid), budget.percent))
