"""A load that a server has to bear: who plays, how much they ask, and how long they wait for it."""
