"""An asyncio program that has a WebSocket server already, here for a chat: the game becomes one more path of it.

python examples/embed_in_asyncio.py
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from websockets.asyncio.client import connect as connect_to_chat
from websockets.asyncio.server import ServerConnection, serve

from kraty_actors import open_game, select_subprotocol
from kraty_actors.client import connect

GAME_FILE = Path(__file__).with_name("trail_of_triumph.json")


async def chat(websocket: ServerConnection) -> None:
    """What the program did before it had a game."""
    async for message in websocket:
        await websocket.send(f"somebody said: {message!s}")


async def main() -> None:
    """Serve both, then talk to both."""
    async with open_game(GAME_FILE, insecure_dev=True) as game:

        async def route(websocket: ServerConnection) -> None:
            path = websocket.request.path if websocket.request else "/"
            await (game.websocket_handler(websocket) if path == "/game" else chat(websocket))

        async with serve(route, "127.0.0.1", 0, select_subprotocol=select_subprotocol) as server:
            address = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
            async with connect_to_chat(f"{address}/chat") as friend:
                await friend.send("who plays?")
                print(await friend.recv())
            async with connect(f"{address}/game", player_id="grace") as player:
                attempt = await player.start("trail_of_triumph")
                ack = await player.progress(attempt["attemptId"], {"streak": 1})
                print(f"grace has a streak of {ack['score']} and stands {ack['rank']}.")


if __name__ == "__main__":
    asyncio.run(main())
