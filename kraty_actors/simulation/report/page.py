"""The page: what was asked, what is taken for granted, the pictures, and every figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from kraty_actors.definitions.scalars import iso_instant
from kraty_actors.domain.numbers import Number
from kraty_actors.simulation.budget import Judged
from kraty_actors.simulation.figures import Payout, Simulation, quantile
from kraty_actors.simulation.report import charts
from kraty_actors.simulation.report.style import STYLE
from kraty_actors.simulation.summary import Figure, summary, written

ROWS = 25
"""Rows of the board that is shown."""

SOURCES = {
    "event_completion": "completed attempts",
    "event_milestone": "milestones",
    "event_window": "ranks and pools",
    "crate_open": "opened crates",
}


def report(made: Sequence[Simulation], names: Sequence[str], verdicts: Sequence[Judged] = ()) -> str:
    """One HTML page about a simulation, or about two side by side.

    Args:
        made: one or two simulations of the same event.
        names: what to call them: their files.
        verdicts: budgets, and whether they are kept.
    """
    event = made[0].scenario.event
    of = f" Of {escape(names[0])}." if len(made) > 1 else ""
    parts = [
        *_head(made, names),
        *(_verdict(one) for one in verdicts),
        _cards(made[0]),
        *_money(made, names, verdicts),
        *_completions(made, names),
        *_lobbies(made, names),
        *_bots(made[0], of),
        *_board(made[0], of),
        *_tables(made, names),
        *_notes(made, names),
    ]
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(event.key)}: simulated</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


# -- at the top


def _head(made: Sequence[Simulation], names: Sequence[str]) -> Iterator[str]:
    scenario = made[0].scenario
    population = scenario.population
    begins, ends = (iso_instant(at)[:16].replace("T", " ") for at in (scenario.span.starts_at, scenario.ends_at))
    who = f"{population.players:,} simulated players ({population.behaviour})"
    runs = f"{scenario.runs:,} windows" if scenario.runs > 1 else "one window"
    yield f"<header><p class=kicker>simulated before it goes live</p><h1>{escape(scenario.event.key)}</h1>"
    yield f"<p>{runs}, each from {begins} to {ends} UTC, with {escape(who)}; seed {scenario.seed}.</p>"
    if len(made) > 1:
        yield f"<p>{_legend(names)}</p>"
    yield "</header>"


def _legend(names: Sequence[str]) -> str:
    return " ".join(
        f'<span class="key {kind}"></span>{escape(name)}' for kind, name in zip(charts.COLOURS, names, strict=False)
    )


def _verdict(one: Judged) -> str:
    return f'<p class="verdict {"over" if one.is_over else "within"}">{escape(str(one))}</p>'


def _cards(made: Simulation) -> str:
    completed = made.share(lambda run: run.completers)
    cards = [
        ("of the players complete it", written(completed.mean, "share"), _from_to(completed.at(5), completed.at(95)))
    ]
    for payout in made.payouts[:2]:
        paid = sorted(payout.paid)
        half, most = (quantile(paid, percent) for percent in (50, 95))
        cards.append((f"{payout.key} paid, median", written(half), f"p95 {written(most)}"))
    bots, lobbies = made.bots, made.lobbies
    if bots is not None:
        wins = bots.human_wins
        cards.append(
            ("of the boards have a player first", written(wins.mean, "share"), _from_to(wins.at(5), wins.at(95)))
        )
    if lobbies is not None and lobbies.fill_seconds is not None:
        fill = lobbies.fill_seconds
        late = f"p95 {written(fill.at(95), 'seconds')}"
        cards.append(("until a lobby starts, median", written(fill.at(50), "seconds"), late))
    found = "".join(
        f"<div class=card><b>{escape(value)}</b><span>{escape(what)}</span><small>{escape(range_)}</small></div>"
        for what, value, range_ in cards
    )
    return f"<div class=cards>{found}</div>"


def _from_to(low: float, high: float) -> str:
    return f"{written(low, 'share')} to {written(high, 'share')}"


# -- pictures


def _section(title: str, picture: str, words: str) -> str:
    """`words` are HTML."""
    return f"<section><h2>{escape(title)}</h2><figure>{picture}<figcaption>{words}</figcaption></figure></section>"


def _money(made: Sequence[Simulation], names: Sequence[str], verdicts: Sequence[Judged]) -> Iterator[str]:
    others = {(one.kind, one.key): one for each in made[1:] for one in each.payouts}
    for payout in made[0].payouts:
        pair = [payout, *filter(None, [others.get((payout.kind, payout.key))])]
        yield _section(
            f"{payout.key} paid", _payout(pair, verdicts), _payout_words(made[0], payout, names[: len(pair)])
        )
    rows: list[tuple[str, Number]] = [
        (f"{payout.key}: {SOURCES.get(source, source)}", mean)
        for payout in made[0].payouts
        for source, mean in payout.sources
        if payout.kind == "currency"
    ]
    taken: list[tuple[str, Number]] = [
        (f"{one.key}: entry fees", mean) for one in made[0].payouts if (mean := _income(one))
    ]
    if len(rows) + len(taken) > 1:
        words = "Mean of a run; entry fees are what comes back." if taken else "Mean of a run."
        words += f" Of {escape(names[0])}." if len(made) > 1 else ""
        yield _section("what it is paid for", charts.lying_bars("currencies by source", rows, taken), words)


def _income(payout: Payout) -> float:
    return round(sum(payout.income) / len(payout.income)) if payout.kind == "currency" else 0


def _payout(pair: Sequence[Payout], verdicts: Sequence[Judged]) -> str:
    lines = charts.quantile_lines(pair[0].paid)
    for one in verdicts:
        if one.budget.key == pair[0].key:
            lines.append(charts.Line(one.budget.amount, f"budget {written(one.budget.amount)}", "budget"))
    label = f"{pair[0].key} paid, over all runs"
    return charts.histogram(label, [one.paid for one in pair], lines, f"{pair[0].key} paid in one run", "runs")


def _payout_words(made: Simulation, payout: Payout, names: Sequence[str]) -> str:
    words = [f"One run is one window; each thin mark below is one of {len(payout.paid):,}."]
    if len(names) > 1:
        words.append(f"{_legend(names)} The lines are of {escape(names[0])}.")
    if any(payout.income):
        net = sorted(payout.net)
        middle, most = (written(quantile(net, percent)) for percent in (50, 95))
        words.append(f"Less what players paid to enter it costs {middle} (p95 {most}).")
    if made.pool is not None and made.pool[0] == payout.key and payout.kind == "currency":
        left = made.over_runs(lambda run: run.remainder)
        words.append(f"Of a pool of {made.pool[1]:,}, {written(left.mean)} is left over in the mean.")
    return " ".join(words)


def _completions(made: Sequence[Simulation], names: Sequence[str]) -> Iterator[str]:
    series = [one.moments for one in made]
    if not any(moments[-1].completed.values[-1] for moments in series):
        return
    words = "The line is the mean of all runs; 90 % of them lie within the band."
    if len(made) > 1:
        words += f" {_legend(names)}"
    yield _section("completed attempts over time", charts.completions("completed attempts over time", series), words)


def _lobbies(made: Sequence[Simulation], names: Sequence[str]) -> Iterator[str]:
    found = [one.lobbies for one in made]
    fills = [one.fill_seconds.values for one in found if one is not None and one.fill_seconds is not None]
    if found[0] is None or not fills or len(fills) < len(made):
        return
    every = [value for values in fills for value in values]
    if min(every) == max(every):
        same = f"All {len(every):,} lobbies started {written(every[0], 'seconds')} after their first seat was taken."
        yield _section("how long lobbies take to fill", "", same)
        return
    lines, spans = charts.quantile_lines(fills[0], "seconds"), "from the first seat to the start"
    drawn = charts.histogram("seconds until lobbies start", fills, lines, spans, "lobbies", "seconds")
    never, full = found[0].never_started, found[0].full
    words = [f"{len(fills[0]):,} lobbies of all runs. {written(full.mean, 'share')} started without an empty seat."]
    if never.values[-1]:
        words.append(f"{written(never.mean)} a run never started.")
    if len(made) > 1:
        words.append(_legend(names))
    yield _section("how long lobbies take to fill", drawn, " ".join(words))


def _bots(made: Simulation, of: str) -> Iterator[str]:
    bots = made.bots
    if bots is None:
        return
    key = '<span class="key one"></span>as it is <span class="key two"></span>if no bots stood there.'
    half, most = written(bots.places_lost.at(50)), written(bots.places_lost.values[-1])
    lost = f"A player loses {half} places to bots (median), at most {most}."
    drawn = charts.ranks("ranks of players with and without bots", bots.rank_with.values, bots.rank_without.values)
    yield _section("what bots do to the ranks of players", drawn, f"{key} {lost}{of}")


def _board(made: Simulation, of: str) -> Iterator[str]:
    board = next(iter(made.runs[0].boards), None)
    if board is None or not board.places:
        return
    shown = board.places[:ROWS]
    key = '<span class="key one"></span>players <span class="key two"></span>bots.'
    words = f"{key} The first board of the first run: the top {len(shown)} of {len(board.places):,}."
    if len(made.runs[0].boards) > 1:
        words += f" There were {len(made.runs[0].boards):,} boards in that run."
    yield _section("one final board", charts.standings("a final board", shown), words + of)


# -- at the end


def _tables(made: Sequence[Simulation], names: Sequence[str]) -> Iterator[str]:
    for one, name in zip(made, names, strict=True):
        title = "every figure" if len(made) == 1 else f"every figure of {name}"
        head = "".join(f"<th>{cell}</th>" for cell in ("", "", "mean", "min", "p5", "p50", "p95", "max", "of each"))
        rows = "\n".join(map(_row, summary(one)))
        table = f"<div class=wide><table><tr>{head}</tr>\n{rows}\n</table></div>"
        yield f"<section><h2>{escape(title)}</h2>{table}</section>"


def _row(figure: Figure) -> str:
    spread, unit = figure.spread, figure.unit
    values = (spread.mean, spread.values[0], *map(spread.at, (5, 50, 95)), spread.values[-1])
    cells = "".join(f"<td>{escape(written(value, unit))}</td>" for value in values)
    return f"<tr><th>{figure.group}</th><th>{escape(figure.name)}</th>{cells}<td>{figure.of}</td></tr>"


def _notes(made: Sequence[Simulation], names: Sequence[str]) -> Iterator[str]:
    lines = []
    for one, name in zip(made, names, strict=True):
        where = f" ({name})" if len(made) > 1 else ""
        lines += [f"{line}{where}" for line in one.scenario.assumptions]
    yield "<footer>"
    if lines:
        items = "".join(f"<li>{escape(line)}</li>" for line in lines)
        yield f"<h2>taken for granted</h2><ul>{items}</ul>"
    yield "<p>pN is the smallest value that at least N % of the runs do not exceed: always one that occurred. "
    yield "Simulated players are not your players: compare definitions, and do not take a number for a forecast.</p>"
    prints = ", ".join(one.fingerprint for one in made)
    yield f"<p>fingerprint {prints}</p></footer>"
