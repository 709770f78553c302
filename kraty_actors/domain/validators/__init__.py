"""What judges every write of an attempt: validators, built in and of a game's own (R-48, R-49)."""

from kraty_actors.domain.validators.evidence import Evidence, Finding, Verdict
from kraty_actors.domain.validators.guard import Guard, rejection
from kraty_actors.domain.validators.past import Past, past_after
from kraty_actors.domain.validators.registry import register_validator

__all__ = [
    "Evidence",
    "Finding",
    "Guard",
    "Past",
    "Verdict",
    "past_after",
    "register_validator",
    "rejection",
]
