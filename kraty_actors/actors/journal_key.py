"""The key of the journal's digests: drawn once for each database.

It is kept in the database, where it protects against accidents and careless hands, or in a file that whoever can write
to the database cannot read, where it is proof. A key that has been in the database may move to a file; there is no way
back, and no second key.
"""

from __future__ import annotations

import secrets
from hashlib import sha256

from kraty_actors.actors.chain import Sealer
from kraty_persistence import Store

JOURNAL_KEY = "journal_key"
"""Where the store has it: the key, or `file:` and the fingerprint of the one in the file."""

_IN_FILE = "file:"

KEY_CHARS_MIN = 32


class WrongKey(Exception):
    """The journal was not chained with this key; the message says what to do."""


def read_key(text: str) -> str:
    """The key in a file's text: its first line.

    Raises:
        ValueError: It is too short.
    """
    key = text.strip().partition("\n")[0].strip()
    if len(key) < KEY_CHARS_MIN:
        raise ValueError(f"the key needs at least {KEY_CHARS_MIN} characters: openssl rand -hex 32 makes one")
    return key


async def own_sealer(store: Store, key: str | None) -> Sealer:
    """What makes the digests of a database that is to be served; `key` is that of the file, if one was given.

    Raises:
        WrongKey: The database has another one.
    """
    mine = _named(key) if key is not None else secrets.token_hex(32)
    kept = await store.put_meta_once(JOURNAL_KEY, mine)
    if key is not None and kept == key:
        await store.set_meta(JOURNAL_KEY, mine)
        kept = mine
    return _sealer(kept, key)


async def known_sealer(store: Store, key: str | None) -> Sealer | None:
    """What checks the digests of a database that is only read; None if it has none.

    Raises:
        WrongKey: The database has another one, or it is in a file.
    """
    kept = await store.get_meta(JOURNAL_KEY)
    return None if kept is None else _sealer(kept, key)


def check_key(kept: str | None, key: str | None) -> None:
    """Whether a database that is to be served has no key yet, or this one.

    Raises:
        WrongKey: It has another one.
    """
    if kept is not None:
        _sealer(kept, key)


def _sealer(kept: str, key: str | None) -> Sealer:
    if not kept.startswith(_IN_FILE):
        if key not in (None, kept):
            raise WrongKey("the key of this database's journal is in the database, and it is not the one in the file")
        return Sealer(kept.encode())
    if key is None:
        raise WrongKey("the key of this database's journal is in a file: give --key-file FILE")
    if kept != _named(key):
        raise WrongKey("this is not the key with which this database's journal was made: give the right --key-file")
    return Sealer(key.encode())


def _named(key: str) -> str:
    return _IN_FILE + sha256(b"journal key\0" + key.encode()).hexdigest()[:16]
