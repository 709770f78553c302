"""Where checks say what they found: places in a document, and the faults and warnings at them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kraty_actors.definitions.document import Document
from kraty_actors.definitions.faults import Fault, Path, show_path


@dataclass
class Findings:
    """The faults and warnings of one document, by path."""

    document: Document
    faults: list[tuple[Path, str]] = field(default_factory=list)
    warnings: list[tuple[Path, str]] = field(default_factory=list)
    settled: dict[Path, Any] = field(default_factory=dict)
    """What the document should say instead: references by key, lists without repeats."""

    @property
    def root(self) -> Place:
        """The whole document."""
        return Place(self, ())

    def in_order(self, found: list[tuple[Path, str]]) -> tuple[Fault, ...]:
        """As its author reads the document, each once."""
        unique = dict.fromkeys(sorted(found, key=lambda item: self.document.position(item[0])))
        return tuple(Fault(show_path(path), message) for path, message in unique)


@dataclass(frozen=True)
class Place:
    """One place of a document: `place / "metrics" / 0`, with the indexes that the checked models have.

    What is said of a place that was left out for a fault of its own, or `because` of another that was, is not
    worth saying and is dropped.
    """

    findings: Findings
    path: Path

    def __truediv__(self, step: str | int) -> Place:
        return Place(self.findings, (*self.path, self.findings.document.as_written(self.path, step)))

    def fault(self, message: str, because: Iterable[Place] = ()) -> None:
        """This is wrong here."""
        self._note(self.findings.faults, message, because)

    def warn(self, message: str, because: Iterable[Place] = ()) -> None:
        """This loads, but its author should look at it."""
        self._note(self.findings.warnings, message, because)

    def _note(self, found: list[tuple[Path, str]], message: str, because: Iterable[Place]) -> None:
        document = self.findings.document
        if not document.is_left_out(self.path) and not any(document.is_unsettled(p.path) for p in because):
            found.append((self.path, message))
