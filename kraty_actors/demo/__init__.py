"""A game that plays itself: one window of Trail of Triumph over real sockets, to look at."""
