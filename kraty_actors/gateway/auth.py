"""Who a peer is: tokens signed by the game's own secrets (HS256 only), or in development whatever it says."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard, cast

import jwt
from jwt.types import Options

from kraty_protocol.limits import ID_CHARS, MAX_WHOLE, ROLES, Role

ALGORITHM = "HS256"
SECRET_BYTES_MIN = 32
"""A shorter secret could be guessed (RFC 7518, section 3.2)."""

SIGNATURE_ONLY: Options = {
    "require": ["exp", "role"],
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
"""The claims that count are judged here, by the server's clock; all others are ignored, whatever they say."""


class BadToken(Exception):
    """The token does not prove anything; the message says why, and holds nothing of the token."""


@dataclass(slots=True, frozen=True)
class Identity:
    """What a hello has proved. `expires_at` is in seconds since the epoch; None without a token."""

    role: Role
    player_id: str | None
    expires_at: float | None = None
    name: str | None = None
    avatar: str | None = None
    country: str | None = None


def read_secrets(text: str) -> tuple[str, ...]:
    """The secrets of a secret file, one a line; the first signs, all verify.

    Raises:
        ValueError: There is none, or one is shorter than 32 bytes.
    """
    secrets = tuple(line for line in text.splitlines() if line)
    if not secrets:
        raise ValueError("holds no secret: write one of at least 32 bytes into it")
    for number, secret in enumerate(secrets, 1):
        if len(secret.encode()) < SECRET_BYTES_MIN:
            raise ValueError(f"line {number}: a secret needs at least {SECRET_BYTES_MIN} bytes")
    return secrets


def bearer(headers: Mapping[str, str]) -> str | None:
    """The token of an `Authorization` header."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def sign(secret: str, role: Role, player_id: str | None, ttl_seconds: int, *, name: str | None = None) -> str:
    """A token that says so for `ttl_seconds` from now; `name` is what boards call the player."""
    claims: dict[str, Any] = {"role": role, "exp": int(time.time()) + ttl_seconds}
    claims.update((claim, value) for claim, value in (("sub", player_id), ("name", name)) if value is not None)
    return jwt.encode(claims, secret, ALGORITHM)


def verify(secrets: Sequence[str], token: str, now_ms: int) -> Identity:
    """What a token proves at `now_ms`, by the server's own clock.

    Raises:
        BadToken: It is forged, expired, or lacks a claim.
    """
    claims = _claims(secrets, token)
    expires_at = _expiry(claims["exp"])
    if now_ms >= expires_at * 1000:
        raise BadToken("the token has expired")
    role, player_id = claims.get("role"), claims.get("sub")
    if not isinstance(role, str) or role not in ROLES:
        raise BadToken("the token names no role of player, server and operator")
    if role == "player" and not is_player_id(player_id):
        raise BadToken("a player's token names the player in sub")
    profile = {name: claims[name] for name in ("name", "avatar", "country") if _is_text(claims.get(name))}
    return Identity(cast("Role", role), player_id if role == "player" else None, expires_at, **profile)


def _claims(secrets: Sequence[str], token: str) -> dict[str, Any]:
    for secret in secrets:
        try:
            return jwt.decode(token, secret, [ALGORITHM], options=SIGNATURE_ONLY)
        except jwt.InvalidSignatureError:
            continue
        except (jwt.PyJWTError, ValueError, OverflowError):
            raise BadToken("the token is not valid") from None
    raise BadToken("the token is signed by nobody known here")


def _expiry(exp: object) -> float:
    """Seconds since the epoch."""
    if isinstance(exp, bool) or not isinstance(exp, int | float) or not 0 < exp <= MAX_WHOLE:
        raise BadToken("the token's exp is no instant")
    return exp


def is_player_id(value: object) -> bool:
    """Text of 1..64 characters, none of them a control character."""
    return _is_text(value) and 0 < len(value) <= ID_CHARS


def _is_text(value: object) -> TypeGuard[str]:
    """Text as it may travel: no control characters and no lone surrogates."""
    return isinstance(value, str) and all(unicodedata.category(char) not in ("Cc", "Cs") for char in value)
