"""What tests of a game need: time that moves by hand, and whole servers that are simulated under faults."""

from kraty_actors.testing.clock import ManualClock
from kraty_actors.testing.faults import CALM, Faults
from kraty_actors.testing.simulate import Simulated, simulate
from kraty_actors.testing.universe import Universe

__all__ = ["CALM", "Faults", "ManualClock", "Simulated", "Universe", "simulate"]
