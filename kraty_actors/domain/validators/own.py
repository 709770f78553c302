"""Validators of a game's own, kept from doing harm (R-49).

Their code is not ours. Whatever it does wrong, the write goes on in its turn and is flagged, so that somebody looks.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from kraty_actors.definitions import Validator
from kraty_actors.definitions.scalars import MAX_TEXT
from kraty_actors.domain.numbers import Number
from kraty_actors.domain.validators.evidence import Evidence, Finding, Verdict
from kraty_actors.domain.validators.past import Past
from kraty_actors.domain.validators.registry import FUNCTIONS

log = logging.getLogger(__name__)

FAILED = "the validator failed"

_told: set[str] = set()
"""The validators whose failure stands in the log: each once, or a busy board would fill the disk."""


class OwnCheck:
    """One validator of an event."""

    __slots__ = ("_function", "_keys", "_params", "key")

    def __init__(self, validator: Validator, keys: Sequence[str]) -> None:
        self.key = validator.key
        self._params = validator.params
        self._function = FUNCTIONS[validator.key]
        self._keys = keys

    def __call__(
        self, past: Past, prior: Sequence[Number], incoming: Sequence[Number], elapsed_ms: int
    ) -> Finding | None:
        rises: list[Number] = [max(pair) for pair in zip(prior, incoming, strict=True)]
        if past is not None:
            rises = [risen + lost for risen, lost in zip(rises, past, strict=False)]
        before, after, risen = (dict(zip(self._keys, values, strict=True)) for values in (prior, incoming, rises))
        evidence = Evidence(before, after, risen, elapsed_ms / 1000)
        try:
            return self._finding(self._function(evidence, self._params))
        except Exception:  # the game's code: the write and those behind it go on
            if self.key not in _told:
                _told.add(self.key)
                log.exception("the validator '%s' failed; writes that it fails on are flagged", self.key)
            return Finding(self.key, "flag", FAILED)

    def _finding(self, said: object) -> Finding | None:
        match said:
            case None | Verdict("allow"):
                return None
            case str():
                return Finding(self.key, self._params.verdict, _fit(said))
            case Verdict("flag" | "reject" as verdict, str(reason)):
                return Finding(self.key, verdict, _fit(reason))
        raise TypeError(f"gave {said!r:.100}, and not None, a text or a Verdict")


def _fit(reason: str) -> str:
    """Text that travels and that every database holds."""
    return reason[:MAX_TEXT].encode("utf-8", "replace").decode().replace("\0", "?")
