"""A definition that is refused, with all that is wrong with it (R-3)."""

from __future__ import annotations

from kraty_actors.definitions import DefinitionFaults
from kraty_actors.gateway import translate
from kraty_protocol.errors import Refused


def faulty(faults: DefinitionFaults) -> Refused:
    """The refusal that names every fault; nothing was changed."""
    details = {"faults": translate.faults(faults.faults)}
    return Refused("validation_failed", "the definition has faults; nothing was changed", details)
