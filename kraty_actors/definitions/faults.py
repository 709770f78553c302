"""What is wrong with a definition, and where: `events[0].metrics[1].resetOn.metricKey: no metric 'loses'`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault or warning.

    Args:
        path: where, as the author wrote it (`metrics[1].cap`); empty for the document as a whole.
        message: what is wrong and what would be right, in plain English.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class DefinitionFaults(ValueError):
    """A definition was refused as a whole (R-3); `faults` holds every reason, in the order of the document."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


def show_path(path: Path) -> str:
    """`("events", 0, "key")` as `events[0].key`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")
