"""The golden frames, read from where clients in other languages read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[2] / "protocol" / "vectors"


def load(name: str) -> list[dict[str, Any]]:
    return json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))


REQUESTS, REPLIES, ERRORS, PUSHES, CHECKS = map(load, ("requests", "replies", "errors", "pushes", "checks"))
FRAMES = [*REQUESTS, *REPLIES, *ERRORS, *PUSHES]
