"""What a game registers for its simulations, where another process finds it."""

from __future__ import annotations

from kraty_actors import BlockParams, Dice, Move, Seen, TimedBlock


def sprinter(seen: Seen, dice: Dice) -> Move | None:
    """Runs three laps and is through."""
    print("what a strategy prints is no answer")
    if not seen.playing:
        return None if seen.attempts else Move.start(dice.between(0, 600))
    return Move.write(10, {"laps": 1})


def stuck(seen: Seen, dice: Dice) -> Move | None:
    """Fails."""
    raise LookupError("no plan")


class AheadParams(BlockParams):
    """Nothing."""


class Ahead(TimedBlock[AheadParams]):
    """Stands at 9 from the first tick on."""

    def score(self, seconds: float, since: float, luck: float) -> float:
        return 9
