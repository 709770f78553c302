"""A trio program with a game inside: it plays in process while the same board is open to WebSocket clients.

python examples/embed_in_trio.py [sqlite:///FILE]
"""

from __future__ import annotations

import sys
from contextlib import aclosing
from pathlib import Path

import trio

from kraty_actors import Game, Refused, open_game

GAME_FILE = Path(__file__).with_name("trail_of_triumph.json")
EVENT = "trail_of_triumph"


async def spectate(game: Game, player: str) -> None:
    """Tell the player's place whenever the board has moved."""
    async with aclosing(game.watch(EVENT, player=player)) as boards:
        async for board in boards:
            if own := board["self"]:
                leader = board["entries"][0]
                print(
                    f"  {player} is {own['rank']}. of {board['total']}; {leader['name']} leads with {leader['score']}"
                )


async def main(store: str) -> None:
    """Win five times in a row, after one loss on the way."""
    async with open_game(GAME_FILE, store=store, insecure_dev=True) as game, trio.open_nursery() as nursery:
        print(f"others may join at ws://127.0.0.1:{await game.serve(port=0)}/v1/socket")
        await game.introduce("ada", name="Ada")
        await game.start("ada", EVENT)
        nursery.start_soon(spectate, game, "ada")
        for match in ("streak", "streak", "losses", "streak", "streak", "streak", "streak", "streak"):
            ack = await game.progress("ada", EVENT, {match: 1})
            print(f"{match}: streak {ack['metrics']['streak']}, {ack['status']}")
        try:
            await game.start("ada", EVENT)
        except Refused as refused:
            print(f"again? {refused}")
            if not refused.is_entry_requirement_failed:
                raise
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main, sys.argv[1] if len(sys.argv) > 1 else "memory:")
