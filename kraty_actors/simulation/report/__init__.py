"""A simulation as one page with pictures, which needs nothing but itself."""

from kraty_actors.simulation.report.page import report

__all__ = ["report"]
