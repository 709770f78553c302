"""The pages keep their word: their code runs, and what they link to is there."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import get_args

import pytest
from readme_blocks import blocks_of, run_page

from kraty_actors.definitions import Webhook, load_game_text
from kraty_actors.definitions.game import Occurrence
from kraty_actors.webhooks.signing import body_of

ROOT = Path(__file__).parents[1]
PAGES = [
    "README.md",
    "docs/embedding.md",
    "docs/operating.md",
    "docs/load.md",
    "docs/events.md",
    "docs/rewards.md",
    "docs/bots.md",
    "docs/anti-cheat.md",
    "docs/simulating.md",
    "docs/webhooks.md",
    "docs/testing.md",
    "protocol/README.md",
    "benchmarks/README.md",
]
RUN = [
    "README.md",
    "docs/embedding.md",
    "docs/operating.md",
    "docs/load.md",
    "docs/rewards.md",
    "docs/bots.md",
    "docs/anti-cheat.md",
    "docs/simulating.md",
    "docs/webhooks.md",
    "docs/testing.md",
]
LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("page", RUN)
def test_the_code_of_the_page_runs(page: str) -> None:
    assert run_page(ROOT / page) > 2


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    file = ROOT / page
    links = [link for link in LINK.findall(file.read_text("utf-8")) if "://" not in link]
    assert [link for link in links if not _leads_somewhere(file, link)] == []


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in _anchors(target.read_text("utf-8")))


def _anchors(text: str) -> set[str]:
    """The anchors that headings get on GitHub."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


WEBHOOKS = (ROOT / "docs" / "webhooks.md").read_text("utf-8")


def test_r54_the_page_about_webhooks_names_all_that_is_told_and_every_field() -> None:
    fields = {field.alias for name, field in Webhook.model_fields.items() if name != "id"}
    assert {name for name in {*get_args(Occurrence), *fields} if f"`{name}`" not in WEBHOOKS} == set()


def test_r52_the_page_about_webhooks_shows_an_endpoint_and_a_body_as_they_are() -> None:
    endpoint, body = (block.code for block in blocks_of(WEBHOOKS) if block.kind == "json")
    assert load_game_text(endpoint).game.webhooks
    shown = json.loads(body)
    sent = body_of(shown["id"], shown["eventName"], shown["gameId"], 0, shown["deliveryAttempt"], shown["data"])
    assert list(json.loads(sent)) == list(shown)


@pytest.mark.parametrize("subject", ["event", "reward", "simulation"])
def test_drawing_again_gives_the_pictures_that_are_there(subject: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs")
    drawing = importlib.import_module(f"{subject}_pictures")
    kept = {path.stem: path.read_text("utf-8") for path in (ROOT / "docs" / f"{subject}s").glob("*.svg")}
    assert drawing.pictures() == kept


def test_blocks_are_found_with_what_is_said_about_them() -> None:
    page = "<!-- run: true -->\n```sh\nmake demo\n```\n\n```\na picture\n```\n\n```json\n{}\n```\n"
    assert [(block.line, block.kind, block.code, block.marked("run")) for block in blocks_of(page)] == [
        (2, "sh", "make demo\n", "true"),
        (10, "json", "{}\n", None),
    ]
