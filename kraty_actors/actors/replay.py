"""A window played again from its journals alone (R-57): the same standings, bots, attempts and grants, bit for bit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kraty_actors.actors.records import FROM_ACTOR, restore_command, unpack_batch
from kraty_actors.domain.calendar import Calendar
from kraty_actors.domain.catalogue import Library
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import Open
from kraty_actors.domain.ids import CALENDAR
from kraty_actors.domain.outcome import Gathers, Outcome, Pay, State
from kraty_actors.domain.window import Window
from kraty_persistence import Store


@dataclass(slots=True, frozen=True)
class Replay:
    """One window as its journals tell it. `paid` are its grants, in the order in which they were written."""

    window: Window
    contests: dict[str, Contest]
    paid: list[Pay]


async def replay_window(store: Store, window_id: str) -> Replay:
    """Play a window again, up to the last record of it; the store is only read.

    Raises:
        UnknownFormat: A record was written by a newer program.
    """
    library = Library()
    for _ in played(CALENDAR, Calendar(library), await store.history(CALENDAR)):
        pass  # it fills the library with every revision of the rules
    window = Window(window_id, library)
    outcomes = list(played(window_id, window, await store.history(window_id)))
    opened = [message.to for one in outcomes for message in one.messages if isinstance(message.command, Open)]
    contests = {name: Contest(name, library) for name in opened}
    for name, contest in contests.items():
        outcomes += played(name, contest, await store.history(name))
    paid = [effect for outcome in outcomes for effect in outcome.effects if isinstance(effect, Pay)]
    return Replay(window, contests, paid)


def played(actor_id: str, state: State, records: Iterable[bytes]) -> Iterator[Outcome]:
    """Apply one actor's records to its fresh state; what each input led to, in order."""
    for record in records:
        now, inputs = unpack_batch(record)
        for plain in inputs:
            told = plain[3:] if plain[0] == FROM_ACTOR else plain
            yield state.apply(restore_command(actor_id, told), now)
        if isinstance(state, Gathers):
            yield Outcome(messages=state.gathered(now))
