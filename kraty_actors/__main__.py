"""`python -m kraty_actors` is the command `kraty-actors`."""

from kraty_actors.cli import main

main()
