"""What an attempt's raw values have been through, as far as the values themselves do not say it (R-49).

As long as nothing of an attempt fell, its values say it all: each metric has risen by what it is, and never stood
higher. Only a reset, or a write that sets less, takes that away; so a past begins with the first fall, and changes
only with further ones. It does not depend on the validators, which may change while an attempt runs.
"""

from __future__ import annotations

from collections.abc import Sequence

from kraty_actors.domain.numbers import Number

Past = Sequence[Number] | None
"""None before the first fall. For each metric in declared order how much it has lost in all, and then for each the
highest that it stood at before any fall."""

MOST_LOST = 2**63 - 1
"""More is no more: the largest whole number that a checkpoint holds."""


def past_after(past: Past, prior: Sequence[Number], incoming: Sequence[Number], raw: Sequence[Number]) -> Past:
    """The past of an attempt after a write was applied.

    Args:
        past: as it was before the write; it is left as it is.
        prior: the raw values before the write.
        incoming: those that the write asked for, before resets.
        raw: those that the attempt has now, after resets.
    """
    for at, now in enumerate(raw):
        if now < prior[at] or now < incoming[at]:
            return _fallen(past, prior, incoming, raw)
    return past


def _fallen(past: Past, prior: Sequence[Number], incoming: Sequence[Number], raw: Sequence[Number]) -> list[Number]:
    count = len(raw)
    changed: list[Number] = [0] * (2 * count) if past is None else list(past)
    for at, now in enumerate(raw):
        highest = max(prior[at], incoming[at])
        if now < highest:
            changed[at] = min(changed[at] + highest - now, MOST_LOST)
            changed[count + at] = max(changed[count + at], highest)
    return changed
