"""What tests of a game need: time that moves by hand."""

from kraty_actors.testing.clock import ManualClock

__all__ = ["ManualClock"]
