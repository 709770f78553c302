"""Tokens, good and bad."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
from raw_peer import Map
from servers import NOON

SECRETS = ("the-first-secret-signs-all-tokens-and-is-long-enough-for-HS512-too", "the-second-secret-is-still-verified")
HOUR_ON = NOON // 1000 + 3600


def token(secret: str = SECRETS[0], algorithm: str = "HS256", **claims: Any) -> str:
    """Ann's for an hour, unless `claims` say otherwise; a claim of None is left out."""
    said = {"role": "player", "sub": "ann", "exp": HOUR_ON} | claims
    return jwt.encode({name: value for name, value in said.items() if value is not None}, secret, algorithm)


def signed(header: Map, claims: Map) -> str:
    """A token with any header, signed with HMAC-SHA256 all the same."""
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims))
    digest = hmac.new(SECRETS[0].encode(), head + b"." + body, hashlib.sha256).digest()
    return (head + b"." + body + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")).decode()
