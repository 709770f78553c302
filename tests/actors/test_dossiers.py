"""What conditions ask of a player is never older than what was said before they asked (R-19)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kraty_actors.actors import dossiers as dossiers_module
from kraty_actors.actors.dossiers import Dossiers
from kraty_actors.domain.outcome import Completed, MovedLeague
from kraty_persistence import Dossier

PLAYERS = range(1, 6)
KEPT_MAX = 3
NOTHING = Dossier(frozenset(), {}, {}, {})


class Later:
    """Something that takes until the test goes on."""

    def __await__(self) -> Generator[None]:
        yield


class SlowStore:
    """Rows as they are committed; a read is on its way there, and then on its way back."""

    def __init__(self) -> None:
        self.rows = dict.fromkeys(PLAYERS, NOTHING)
        self.reads = 0

    async def dossier(self, player: int) -> Dossier:
        self.reads += 1
        await Later()
        found = self.rows[player]
        await Later()
        return found


@dataclass
class Question:
    """One call of `get`, and what had been said of the player when it came."""

    coroutine: Coroutine[Any, Any, Dossier]
    said: Dossier

    def go_on(self) -> Dossier | None:
        """The answer, once it is there."""
        try:
            self.coroutine.send(None)
        except StopIteration as answered:
            return cast("Dossier", answered.value)
        return None


@dataclass
class Told:
    """A change that is committed; nobody was told of it yet."""

    player: int
    rows: Dossier
    tell: Callable[[], None]


@dataclass
class Story:
    """Commits, and later the news of each, in between questions that take their time."""

    store: SlowStore = field(default_factory=SlowStore)
    said: dict[int, Dossier] = field(default_factory=lambda: dict.fromkeys(PLAYERS, NOTHING))
    news: deque[Told] = field(default_factory=deque)
    questions: list[Question] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        self.dossiers = Dossiers(self.store)

    def take(self, what: str, number: int) -> None:
        player = PLAYERS[number % len(PLAYERS)]
        match what:
            case "complete" | "move" | "pay":
                self.commit(what, player)
            case "tell" if self.news:
                told = self.news.popleft()
                told.tell()
                self.said[told.player] = told.rows
            case "ask":
                self.questions.append(Question(self.dossiers.get(player), self.said[player]))
                self.go_on(len(self.questions) - 1)
            case "go on" if self.questions:
                self.go_on(number % len(self.questions))
            case "give up" if self.questions:
                self.questions.pop(number % len(self.questions)).coroutine.close()

    def commit(self, what: str, player: int) -> None:
        self.count += 1
        rows, name = self.store.rows[player], f"event{self.count}"
        if what == "complete":
            rows = replace(rows, completed=rows.completed | {name})
            tell = lambda: self.dossiers.happened(Completed(player, name, "w"))  # noqa: E731
        elif what == "move":
            league = str(self.count)
            rows = replace(rows, leagues={**rows.leagues, "cup": league})
            tell = lambda: self.dossiers.happened(MovedLeague(player, "cup", league))  # noqa: E731
        else:
            rows = replace(rows, balances={"cash": self.count})
            tell = lambda: self.dossiers.forget(player)  # noqa: E731
        self.store.rows[player] = rows
        self.news.append(Told(player, rows, tell))

    def go_on(self, at: int) -> None:
        found = self.questions[at].go_on()
        if found is not None:
            said = self.questions.pop(at).said
            assert found.completed >= said.completed
            assert found.balances.get("cash", 0) >= said.balances.get("cash", 0)
            assert int(found.leagues.get("cup", "0")) >= int(said.leagues.get("cup", "0"))

    def end(self) -> None:
        while self.questions:
            self.go_on(0)
        while self.news:
            self.take("tell", 0)
        assert not self.dossiers._loading
        for at in range(2 * len(PLAYERS)):
            question = Question(self.dossiers.get(PLAYERS[at % len(PLAYERS)]), NOTHING)
            found = question.go_on() or question.go_on() or question.go_on()
            assert found == self.store.rows[PLAYERS[at % len(PLAYERS)]]


steps = st.tuples(
    st.sampled_from(["complete", "move", "pay", "tell", "tell", "ask", "ask", "go on", "go on", "go on", "give up"]),
    st.integers(0, 9),
)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dossiers_module, "DOSSIERS_MAX", KEPT_MAX)


@given(st.lists(steps, max_size=60))
@settings(max_examples=300, deadline=None)
def test_r19_an_answer_holds_all_that_was_said_before_the_question(script: list[tuple[str, int]]):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dossiers_module, "DOSSIERS_MAX", KEPT_MAX)
        story = Story()
        for what, number in script:
            story.take(what, number)
            assert len(story.dossiers._kept) <= KEPT_MAX
        story.end()


@pytest.mark.usefixtures(few.__name__)
def test_a_kept_dossier_is_read_once_and_the_one_that_nobody_asked_about_goes_first():
    story = Story()

    def ask(player: int) -> int:
        before = story.store.reads
        question = Question(story.dossiers.get(player), NOTHING)
        while question.go_on() is None:
            pass
        return story.store.reads - before

    assert [ask(player) for player in (1, 2, 3, 1)] == [1, 1, 1, 0]
    assert [ask(player) for player in (4, 1, 3, 2)] == [1, 0, 0, 1]
