"""Figures of the whole event model: what does not grow with what is not touched."""
