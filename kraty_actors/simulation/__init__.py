"""Whole windows of an event before it goes live: the real rules, simulated players, virtual time (R-47)."""

from kraty_actors.simulation import built_in as built_in
