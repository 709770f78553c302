"""One module a revision. What was released is never changed: a change of `tables.py` has a revision of its own."""
