"""The page for clients in other languages says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kraty_protocol import limits
from kraty_protocol.codec import CODECS, JSON
from kraty_protocol.conversation import Conversation, Refusal
from kraty_protocol.errors import FINAL_CLOSE_CODES, STATUS, CloseCode
from kraty_protocol.messages import OPERATIONS
from tests.protocol.vectors import FRAMES, REPLIES

README = (Path(__file__).parents[2] / "protocol" / "README.md").read_text(encoding="utf-8")


def test_the_example_is_what_would_be_said() -> None:
    conversation = Conversation(JSON)
    answers = {}
    for line in re.findall(r"^< (.*)$", README, re.MULTILINE):
        answer = json.loads(line)
        answers[answer.get("id")] = answer
    for line in re.findall(r"^> (.*)$", README, re.MULTILINE):
        judged = conversation.receive(line)
        if isinstance(judged, Refusal):
            refusal = conversation.error_reply(judged.id, judged.code, judged.message, judged.details)
            assert json.loads(refusal) == answers[judged.id]
        else:
            assert "ok" in answers[judged.id]
        conversation.admit("player", "player_42")


BLOCKS = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
EXAMPLES = [json.loads(line) for block in BLOCKS for line in block.splitlines()]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.get('op', 'answer')}-{example['id']}")
def test_its_examples_are_golden_frames(example: dict[str, Any]) -> None:
    assert example in [vector["message"] for vector in FRAMES]


def test_the_operations_of_servers_and_operators_are_shown() -> None:
    trusted = {op for op, operation in OPERATIONS.items() if "player" not in operation.roles}
    shown = {example.get("op") for example in EXAMPLES}
    assert trusted - shown == {"events.get", "events.finalize", "windows.list"}


def test_it_names_what_every_answer_holds() -> None:
    names = {name for vector in REPLIES for name in vector["message"]["ok"]}
    assert {name for name in names if not re.search(rf"\b{name}\b", README)} == set()


@pytest.mark.parametrize("name", [*OPERATIONS, *STATUS, *CODECS])
def test_it_names_every_operation_code_and_codec(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("op", OPERATIONS)
def test_it_names_every_field(op: str) -> None:
    for field in OPERATIONS[op].model.model_fields.values():
        assert re.search(rf"[`\"]{field.alias}[`\"?:]", README), field.alias


@pytest.mark.parametrize("code", CloseCode)
def test_it_says_after_which_close_codes_to_come_back(code: CloseCode) -> None:
    row = re.search(rf"^\| {code.value} \| .* \| (.*) \|$", README, re.MULTILINE)
    assert row is not None
    assert row[1].startswith(("no", "with a fresh token")) == (code in FINAL_CLOSE_CODES)


def test_it_states_the_limits() -> None:
    players, trusted = limits.PLAYER_LIMITS, limits.TRUSTED_LIMITS
    for name in players.__slots__:
        assert f"| {getattr(players, name):,} | {getattr(trusted, name):,} |" in README
