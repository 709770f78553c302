"""Webhooks: what happens in the game, told to its own backends over HTTP, signed, at least once (R-52 to R-54)."""
