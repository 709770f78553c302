"""Who waits for what: mailboxes, the one loop that runs every actor, recovery, and the engine that players ask."""
